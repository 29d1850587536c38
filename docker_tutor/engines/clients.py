"""The Docker SDK's client for any address that `dialing` knows: TLS and `ssh` need more than the address."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker_tutor.engines.dialing import tls_folder

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.tls import TLSConfig

__all__ = ["sdk"]


def sdk(address: str, **options: Any) -> "DockerClient":
    """Return a client for the daemon at `address`; `options` are the SDK's own. Raises what the SDK raises."""
    import docker

    if folder := tls_folder(address):
        options["tls"] = _trusting(folder)
        address = address.partition("?")[0]
    return docker.DockerClient(base_url=address, use_ssh_client=address.startswith("ssh://"), **options)


def _trusting(folder: Path) -> "TLSConfig":
    from docker.tls import TLSConfig

    class Trusting(TLSConfig):
        """Trusts the folder's authority, also where REQUESTS_CA_BUNDLE names others, which requests puts first."""

        def configure_client(self, client: Any) -> None:
            super().configure_client(client)
            client.trust_env = False

    pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
    return Trusting(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)
