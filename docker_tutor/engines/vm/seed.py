"""What a guest is given at its start: certificates, Docker's settings, which folders to mount, and its own program."""

import hashlib
import io
import json
import os
import ssl
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from docker_tutor.engines.private import listeners
from docker_tutor.engines.vm import beside, guest, line, peers
from docker_tutor.engines.vm.certificates import Trust
from docker_tutor.engines.vm.machine import API_PORT
from docker_tutor.engines.vm.program import Program

__all__ = ["MODULES", "contents", "digest", "write"]

MODULES = (
    "overlay",
    "bridge",
    "br_netfilter",
    "veth",
    "iptable_nat",
    "iptable_filter",
    "ip6table_nat",
    "ip6table_filter",
    "xt_addrtype",
    "xt_conntrack",
    "xt_MASQUERADE",
    "xt_nat",
    "tcp_diag",
    "udp_diag",
)
"""Loaded at the start, because Docker asks for them at once; the others come when they are asked for."""
DNS = "10.0.2.3"
PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
SOURCES = {
    "docker_tutor/engines/private/listeners.py": Path(listeners.__file__),
    "docker_tutor/engines/vm/line.py": Path(line.__file__),
    "docker_tutor/engines/vm/guest.py": Path(guest.__file__),
    "docker_tutor/engines/vm/beside.py": Path(beside.__file__),
    "docker_tutor/engines/vm/peers.py": Path(peers.__file__),
}
PACKAGES = ("docker_tutor", "docker_tutor/engines", "docker_tutor/engines/private", "docker_tutor/engines/vm")


def contents(
    shares: Sequence[Path], more: Mapping[str, object] | None = None, program: Program | None = None
) -> dict[str, bytes]:
    """Return what a guest that mounts `shares` is given besides its keys, with a `program` of its own or without.

    `more` are settings of dockerd that go before ours.
    """
    found: dict[str, bytes] = {
        "daemon.json": json.dumps({**_settings(), **(more or {})}, indent=1).encode(),
        "shares": "".join(f"{folder}\n" for folder in shares).encode(),
        "modules": "\n".join(MODULES).encode(),
    }
    if program:
        found["program.json"] = program.to_json().encode()
    if authorities := _authorities():
        found["authorities.pem"] = authorities
    found["init.sh"] = Path(__file__).with_name("init.sh").read_bytes()
    found |= {f"{package}/__init__.py": b"" for package in PACKAGES}
    return found | {name: source.read_bytes() for name, source in SOURCES.items()}


def write(file: Path, trust: Trust, contents: Mapping[str, bytes]) -> None:
    """Write the tar: a guest's keys and `contents`."""
    keys = {"ca.pem": trust.authority, "server.pem": trust.server.certificate, "server-key.pem": trust.server.key}
    file.unlink(missing_ok=True)
    with (
        os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened,
        tarfile.open(fileobj=opened, mode="w") as tar,
    ):
        for name, content in {**keys, **contents}.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o600
            tar.addfile(info, io.BytesIO(content))


def digest(contents: Mapping[str, bytes]) -> str:
    """Return one word that differs when the contents do."""
    return hashlib.sha256(b"".join(b"%s\0%d\0%s" % (k.encode(), len(v), v) for k, v in contents.items())).hexdigest()


def _authorities() -> bytes:
    """Return the certificates that this machine trusts: a proxy's own may be among them, and pulls go through it."""
    file = ssl.get_default_verify_paths().cafile  # which follows SSL_CERT_FILE
    return Path(file).read_bytes() if file and Path(file).is_file() else b""


def _settings() -> dict[str, object]:
    settings: dict[str, object] = {
        "hosts": [f"tcp://0.0.0.0:{API_PORT}", "unix:///run/docker.sock"],
        "tlsverify": True,
        "tlscacert": "/run/seed/ca.pem",
        "tlscert": "/run/seed/server.pem",
        "tlskey": "/run/seed/server-key.pem",
        "dns": [DNS],
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "shutdown-timeout": 5,
    }
    proxies = {name: value for name in PASSED_ON if (value := os.environ.get(name))}
    if proxies:
        settings["proxies"] = {name.lower().replace("_", "-"): value for name, value in proxies.items()}
    if store := os.environ.get("DOCKER_TUTOR_IMAGE_STORE"):
        settings["features"] = {"containerd-snapshotter": store == "containerd"}
    return settings
