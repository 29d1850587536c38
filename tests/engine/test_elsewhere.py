"""A daemon that is not behind a Unix socket of this machine: TCP with TLS, and ssh, each with a `docker context`."""

import datetime as dt
import getpass
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from docker_tutor import open_room, paths
from docker_tutor.engines.base import Engine
from docker_tutor.engines.existing import ExistingEngine
from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.patching import patch
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.errors import EngineNotFound
from docker_tutor.progress import silent

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

Docker = Callable[..., str]
SSHD = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host
AuthorizedKeysFile {home}/me.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
SshdSessionPath {home}/root/usr/lib/openssh/sshd-session
SshdAuthPath {home}/root/usr/lib/openssh/sshd-auth
SetEnv PATH={path} DOCKER_HOST={daemon}
"""
SSH = """\
#!/bin/sh
exec {ssh} -F none -i {home}/me -o IdentitiesOnly=yes -o UserKnownHostsFile={home}/known "$@"
"""
OWN_FILES = """\
mount --bind {home}/passwd /etc/passwd
mkdir -p /run/sshd && mount -t tmpfs -o mode=755 none /run/sshd
exec {sshd} -D -e -f {home}/sshd_config
"""


@pytest.fixture
def shell(tmp_path: Path, private_engine: PrivateEngine) -> Iterator[pytest.MonkeyPatch]:
    """Be in a shell whose CLI has contexts of its own, and where the course has folders of its own."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path / "cli"
        home.mkdir()
        (home / "config.json").write_text(json.dumps(dict(private_engine.tools.config)), encoding="utf-8")
        patch.setenv("DOCKER_TUTOR_INSTANCE", f"te{os.getpid()}")
        patch.setenv("DOCKER_TUTOR_ENGINE", "existing")
        patch.setenv("DOCKER_CONFIG", str(home))
        patch.setenv("PATH", os.pathsep.join([*map(str, private_engine.tools.path), os.environ["PATH"]]))
        patch.delenv("DOCKER_HOST", raising=False)
        yield patch
        for folder in (paths.runtime_folder(), paths.data_folder()):
            shutil.rmtree(folder)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Make an authority, and in folders of the names that Docker uses, what it certifies: a server and a client."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    now = dt.datetime.now(dt.UTC)

    def certified(subject: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = False) -> bytes:
        made = x509.CertificateBuilder().issuer_name(name).public_key(key.public_key())
        made = made.subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        made = made.not_valid_after(now + dt.timedelta(hours=1))
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        made = made.add_extension(here, critical=False)
        return made.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    for subject in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        folder = tmp_path / subject
        folder.mkdir()
        (folder / "ca.pem").write_bytes(certified("authority", authority, ca=True))
        (folder / "cert.pem").write_bytes(certified(subject, key))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return tmp_path


@pytest.fixture
def tls_port(certificates: Path, private_engine: PrivateEngine) -> Iterator[int]:
    """Have dockerd's API at a TCP port that wants a client's certificate: a second dockerd socket, as `--tlsverify`."""
    server = certificates / "server"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(server / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(server / "cert.pem", server / "key.pem")
    with _Front(context, str(private_engine.layout.socket)) as port:
        yield port


class _Front:
    """Takes TLS from clients that are certified, and carries it to a Unix socket, each direction to its own end."""

    def __init__(self, context: ssl.SSLContext, path: str) -> None:
        self._context, self._path = context, path
        self._listening = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self._listening.getsockname()[1])

    def __exit__(self, *_exception: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=[client], daemon=True).start()

    def _carry(self, plain: socket.socket) -> None:
        with closing(plain), closing(socket.socket(socket.AF_UNIX)) as daemon:
            try:
                client = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                return  # it has no certificate of ours
            daemon.connect(self._path)
            up = threading.Thread(target=_pump, args=[client, daemon], daemon=True)
            up.start()
            _pump(daemon, client)
            client.close()
            up.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        if not isinstance(target, ssl.SSLSocket):
            target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one of them has left


def work(engine: Engine) -> None:
    """Do through a room what takes every kind of connection: streams, input with an end, a build, an exec."""
    with open_room("02-elsewhere", engine=engine) as room:
        assert room.capabilities.engine_version
        room.cli("run", "--detach", "--name", "far", "tiny", "sleep", "600")
        assert room.cli("exec", "far", "echo", "hi").stdout == "hi\n"
        assert room.cli("run", "--rm", "-i", "tiny", "cat", stdin="to the end\n").stdout == "to the end\n"
        room.cli("build", "--quiet", "--tag", "far:1", "-", stdin="FROM tiny\nRUN echo made > /made\n")
        assert room.cli("run", "--rm", "far:1", "cat", "/made").stdout == "made\n"
        room.wait.running("far")
        assert len(room.client.containers.list(filters={"name": "far"})) == 1


def context(engine: PrivateEngine, name: str, endpoint: str) -> None:
    """Make a `docker context` and choose it, as a person does."""
    docker = str(engine.tools.programs["docker"])
    for words in (["create", name, "--docker", endpoint], ["use", name]):
        subprocess.run([docker, "context", *words], check=True, capture_output=True)


@pytest.fixture
def direct(private_engine: PrivateEngine, docker_of: Callable[[Engine], Docker]) -> Docker:
    return docker_of(private_engine)


def listing(direct: Docker) -> tuple[list[str], list[str]]:
    """List what there is; images made in the same second come in any order."""
    return sorted(direct("ps", "-aq").split()), sorted(direct("images", "-aq").split())


def test_a_context_with_tls_is_worked_with_as_a_socket_is(
    direct: Docker, shell: pytest.MonkeyPatch, private_engine: PrivateEngine, tls_port: int, certificates: Path
) -> None:
    client = certificates / "client"
    files = ",".join(f"{what}={client / file}.pem" for what, file in (("ca", "ca"), ("cert", "cert"), ("key", "key")))
    context(private_engine, "far", f"host=tcp://127.0.0.1:{tls_port},{files}")
    before = listing(direct)
    engine = ExistingEngine()
    assert engine.status().state == "running"
    assert 'context "far"' in engine.status().detail
    work(engine)
    assert listing(direct) == before


def test_docker_host_with_tls_names_its_folder(
    direct: Docker, shell: pytest.MonkeyPatch, tls_port: int, certificates: Path
) -> None:
    shell.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{tls_port}")
    shell.setenv("DOCKER_TLS_VERIFY", "1")
    shell.setenv("DOCKER_CERT_PATH", str(certificates / "client"))
    assert ExistingEngine().status().state == "running"


def test_a_client_without_a_certificate_is_told_that_nobody_answers(
    direct: Docker, shell: pytest.MonkeyPatch, tls_port: int, certificates: Path
) -> None:
    (certificates / "client/cert.pem").unlink()
    shell.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{tls_port}")
    shell.setenv("DOCKER_TLS_VERIFY", "1")
    shell.setenv("DOCKER_CERT_PATH", str(certificates / "client"))
    with pytest.raises(EngineNotFound, match=f"No Docker Engine answers at tcp://127.0.0.1:{tls_port}:"):
        ExistingEngine().up()


@pytest.fixture
def ssh_port(tmp_path: Path, shell: pytest.MonkeyPatch, private_engine: PrivateEngine) -> Iterator[int]:
    """Run Debian's own sshd at 127.0.0.1, unpacked, with keys of its own, in a mount namespace of its own."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("there is no `ssh` in PATH, which the CLI itself needs for ssh:// addresses")
    home = tmp_path / "ssh"
    home.mkdir()
    unpack(Archive().fetch(["openssh-server"]), home / "root")
    patch(home / "root", home / "root", silent)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    for name in ("host", "me"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)]
        subprocess.run(words, check=True)
    known = (home / "host.pub").read_text(encoding="ascii")
    (home / "known").write_text(f"[127.0.0.1]:{port} {known}", encoding="ascii")
    passwd = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    passwd = [line for line in passwd if not line.startswith("sshd:")]
    (home / "passwd").write_text("\n".join([*passwd, "sshd:x:65533:65534::/run/sshd:/bin/false", ""]), encoding="utf-8")
    path = os.pathsep.join([*map(str, private_engine.tools.path), "/usr/bin", "/bin"])
    settings = SSHD.format(port=port, home=home, path=path, daemon=private_engine.address)
    (home / "sshd_config").write_text(settings, encoding="utf-8")
    programs = home / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(SSH.format(ssh=ssh, home=home), encoding="utf-8")
    (programs / "ssh").chmod(0o755)
    shell.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    script = OWN_FILES.format(home=home, sshd=home / "root/usr/sbin/sshd")
    started = ["unshare", "--mount", "sh", "-ec", script]
    with subprocess.Popen(started, stderr=subprocess.PIPE, text=True) as sshd:
        assert sshd.stderr is not None
        said = []
        for line in sshd.stderr:
            said.append(line)
            if "Server listening" in line:
                break
        else:
            pytest.fail(f"sshd: {''.join(said)}")
        yield port
        sshd.terminate()


def test_a_context_with_ssh_is_worked_with_as_a_socket_is(
    direct: Docker, shell: pytest.MonkeyPatch, private_engine: PrivateEngine, ssh_port: int
) -> None:
    context(private_engine, "far-ssh", f"host=ssh://{getpass.getuser()}@127.0.0.1:{ssh_port}")
    before = listing(direct)
    engine = ExistingEngine()
    assert engine.status().state == "running"
    work(engine)
    assert listing(direct) == before
