"""Image names as people type them, taken apart and written out in full."""

import re
from dataclasses import dataclass
from typing import Self

from docker_tutor.errors import ImageNotFound
from docker_tutor.i18n import _

__all__ = ["Reference"]

HUB = "docker.io"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's name in its parts, following the grammar of the distribution project's `reference` package."""

    host: str
    """The registry, `docker.io` when none was typed."""
    path: str
    """The repository within the registry, with Docker Hub's `library/`."""
    tag: str
    """The tag, `latest` when neither tag nor digest was typed, empty beside a digest alone."""
    digest: str = ""

    @classmethod
    def parse(cls, name: str) -> Self:
        """Take `name` apart as the Docker CLI does. Raises ImageNotFound when it cannot be an image's name."""
        found = _REFERENCE.fullmatch(name)
        if not found:
            message = _("“{name}” is not an image's name: expected something like “python:3.11-slim”.")
            raise ImageNotFound(message.format(name=name))
        host, path = found["host"] or "", found["path"]
        if host and not ("." in host or ":" in host or host == "localhost"):
            # The first part is a registry only when it looks like a host; `bitnami/redis` is a path on the Hub.
            if host != host.lower():
                message = _("“{name}” is not an image's name: only small letters are allowed.")
                raise ImageNotFound(message.format(name=name))
            host, path = "", f"{host}/{path}"
        if host in ("", "index.docker.io", HUB):
            host = HUB
            path = path if "/" in path else f"library/{path}"
        tag = found["tag"] or ("" if found["digest"] else "latest")
        return cls(host, path, tag, found["digest"] or "")

    @property
    def repository(self) -> str:
        """The repository as people type it: without Docker Hub's host and `library/`."""
        if self.host == HUB:
            return self.path.removeprefix("library/")
        return f"{self.host}/{self.path}"

    @property
    def suffix(self) -> str:
        """What follows the repository: `:tag`, `@digest` or both."""
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        """Write the name as people type it, always with its tag: `nginx:latest`."""
        return self.repository + self.suffix

    @property
    def stand_in(self) -> str:
        """The name under which the course's own stand-in for this image is found."""
        return f"docker-tutor/stand-in/{self.repository.replace(':', '-').lower()}:{self.tag or 'latest'}"
