"""Everything that a notebook could leave behind on an engine, listed so that before and after can be compared."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields

import docker
import psutil

from docker_tutor import paths

__all__ = ["Listing", "listed", "settled"]

LOOKS_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is, in an order that does not depend on when it was made. The build cache is left out."""

    containers: tuple[str, ...]
    images: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    processes: tuple[str, ...]
    """Command lines of the instance's own processes (engine, gateways, containers), kernels apart."""

    def difference(self, before: "Listing") -> list[str]:
        """Say what is here and was not there before (+), and the other way round (-)."""
        lines = []
        for field in fields(self):
            now, then = getattr(self, field.name), getattr(before, field.name)
            lines += [f"+ {field.name}: {entry}" for entry in now if entry not in then]
            lines += [f"- {field.name}: {entry}" for entry in then if entry not in now]
        return lines


def listed(address: str) -> Listing:
    """List what the engine at `address` has. Raises docker's own errors when it does not answer."""
    api = docker.APIClient(base_url=address)
    try:
        return Listing(
            tuple(sorted(f"{found['Names']} {found['Image']} {found['State']}" for found in api.containers(all=True))),
            tuple(sorted(f"{found['Id']} {sorted(found['RepoTags'] or [])}" for found in api.images(all=True))),
            tuple(sorted(str(found["Name"]) for found in api.networks())),
            tuple(sorted(str(found["Name"]) for found in api.volumes()["Volumes"] or [])),
            tuple(sorted(_processes())),
        )
    finally:
        api.close()


def settled(address: str, before: Listing, within_s: float) -> list[str]:
    """Wait until the listing is as it was `before`; return what differs after `within_s`, nothing when all is well."""
    deadline = time.monotonic() + within_s
    while (difference := listed(address).difference(before)) and time.monotonic() < deadline:
        # No event says "the last of five kinds of things has gone": only looking again does.
        time.sleep(LOOKS_EVERY_S)
    return difference


def _processes() -> Iterator[str]:
    seen = set()
    for process in psutil.process_iter():
        try:
            if f"/{paths.instance()}/" not in " ".join(process.cmdline()):
                continue
            for member in (process, *process.children(recursive=True)):
                words = " ".join(member.cmdline())
                if member.pid not in seen and "ipykernel_launcher" not in words:
                    seen.add(member.pid)
                    yield words
        except psutil.NoSuchProcess:
            continue  # it ended while we looked
