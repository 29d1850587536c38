"""Only who holds this guest's own certificates gets through to it, and it proves itself to them."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from docker_tutor.engines.dialing import tls_context
from docker_tutor.engines.vm import certificates
from docker_tutor.engines.vm.certificates import Trust


def served(trust: Trust, folder: Path, client: ssl.SSLContext | None) -> bytes:
    """Return what a client gets from a server that asks for a certificate, as dockerd does."""
    folder.mkdir()
    for name, content in (("ca", trust.authority), ("cert", trust.server.certificate), ("key", trust.server.key)):
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(folder / "ca")
    context.load_cert_chain(folder / "cert", folder / "key")
    context.verify_mode = ssl.CERT_REQUIRED

    def serve() -> None:
        with listener, listener.accept()[0] as plain:
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.sendall(b"welcome")
            except OSError:
                return  # refused, which the client is told

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with socket.create_connection(("127.0.0.1", port)) as plain:
                if client is None:
                    return plain.recv(7)
                with client.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                    return connection.recv(7)
        finally:
            thread.join()


def kept(trust: Trust, folder: Path) -> ssl.SSLContext:
    certificates.keep(trust, folder)
    return tls_context(folder)


def test_the_owner_is_let_in(tmp_path: Path) -> None:
    trust = certificates.make()
    assert served(trust, tmp_path / "server", kept(trust, tmp_path / "client")) == b"welcome"


def test_nobody_without_a_certificate_is_let_in(tmp_path: Path) -> None:
    trust = certificates.make()
    kept(trust, tmp_path / "client")
    without = ssl.create_default_context(cafile=str(tmp_path / "client/ca.pem"))
    with pytest.raises(ssl.SSLError):
        served(trust, tmp_path / "server", without)


def test_the_certificates_of_another_guest_do_not_serve(tmp_path: Path) -> None:
    trust, other = certificates.make(), certificates.make()
    context = kept(other, tmp_path / "client")
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(OSError, match=r"alert|reset|closed"):
        assert served(trust, tmp_path / "server", context) == b"welcome"


def test_a_guest_that_is_another_is_not_believed(tmp_path: Path) -> None:
    trust, other = certificates.make(), certificates.make()
    with pytest.raises(ssl.SSLCertVerificationError):
        served(other, tmp_path / "server", kept(trust, tmp_path / "client"))


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    certificates.keep(certificates.make(), tmp_path / "client")
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "client").iterdir()} == {0o600}
    assert (tmp_path / "client").stat().st_mode & 0o777 == 0o700
