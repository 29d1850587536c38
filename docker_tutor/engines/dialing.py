"""How to speak to a daemon that is elsewhere: TCP, TCP with TLS, or `ssh` — behind one `connect`.

An address is what `DOCKER_HOST` has (`unix://…`, `tcp://…`, `ssh://…`); `?tls=FOLDER` behind a TCP one names the folder
of `ca.pem`, `cert.pem` and `key.pem`, so that one text says all that it takes to reach a daemon again.
Source: https://docs.docker.com/engine/security/protect-access/
"""

import socket
import ssl
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from docker_tutor.errors import EngineNotFound
from docker_tutor.i18n import _

__all__ = ["connect", "host_and_port", "known", "ssh_words", "tls_context", "tls_folder", "with_tls"]

PLAIN_PORT, TLS_PORT = 2375, 2376


def with_tls(address: str, folder: Path | None) -> str:
    """Return the address with the folder of its certificates."""
    return f"{address}?tls={quote(str(folder))}" if folder and address.startswith("tcp://") else address


def tls_folder(address: str) -> Path | None:
    """Return the folder of the certificates for an address; None when it is spoken to without TLS."""
    named = parse_qs(urlsplit(address).query).get("tls")
    return Path(named[0]) if named else None


def known(address: str) -> bool:
    """Whether it is an address of a kind that can be reached."""
    parts = urlsplit(address)
    return bool(parts.path) if parts.scheme == "unix" else parts.scheme in {"tcp", "ssh"} and bool(parts.hostname)


def host_and_port(address: str) -> tuple[str, int]:
    """Return where a TCP address leads; the port is Docker's own when none is named."""
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or (TLS_PORT if tls_folder(address) else PLAIN_PORT)


def tls_context(folder: Path) -> ssl.SSLContext:
    """Return how to speak TLS with what is in `folder`: each of the three files may be missing, as for the CLI.

    Raises `OSError` for files that cannot be read or are no certificates.
    """
    authority, certificate, key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    if certificate.exists():
        context.load_cert_chain(certificate, key)
    return context


def ssh_words(address: str) -> list[str]:
    """Return the command that the CLI itself uses for `ssh://`: the far end's CLI carries bytes to its daemon."""
    parts = urlsplit(address)
    user = ["-l", parts.username] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    # Nobody is there to be asked for a password, and waiting for an answer would be for ever.
    where = ["-o", "BatchMode=yes", *user, *port, "--", str(parts.hostname)]
    return ["ssh", "-T", *where, "docker", "system", "dial-stdio"]


def connect(address: str, within_s: float | None) -> socket.socket:
    """Return a connection to the daemon at `address`, whose reads and writes wait for `within_s` at most.

    Raises `OSError`, `EngineNotFound`.
    """
    if not known(address):
        raise EngineNotFound(_("“{address}” is no address of a Docker daemon.").format(address=address))
    scheme = urlsplit(address).scheme
    if scheme == "ssh":
        return _through_ssh(address, within_s)
    if scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(within_s)
        try:
            connection.connect(urlsplit(address).path)
        except OSError:
            connection.close()
            raise
        return connection
    host, port = host_and_port(address)
    plain = socket.create_connection((host, port), within_s)
    folder = tls_folder(address)
    try:
        return tls_context(folder).wrap_socket(plain, server_hostname=host) if folder else plain
    except OSError:
        plain.close()
        raise


def _through_ssh(address: str, within_s: float | None) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        ends = theirs.fileno()
        process = subprocess.Popen(
            ssh_words(address), stdin=ends, stdout=ends, stderr=subprocess.DEVNULL, start_new_session=True
        )
    # It ends with the connection, and has to be waited for then.
    threading.Thread(target=process.wait, daemon=True).start()
    ours.settimeout(within_s)
    return ours
