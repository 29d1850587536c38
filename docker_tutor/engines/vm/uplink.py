"""The way out of a machine: slirp4netns, and the doors to what it forwards where it stands behind a fence itself."""

from pathlib import Path

import psutil

from docker_tutor.engines.private.relay import Inside, Relay
from docker_tutor.engines.vm import fence
from docker_tutor.engines.vm.image import Image
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine
from docker_tutor.units import MiB

__all__ = ["command", "doors"]


def command(layout: Layout, machine: Machine, ready: int) -> list[str]:
    """Return the words that start slirp4netns, which closes the descriptor `ready` once its API answers."""
    layout.net.mkdir(mode=0o700, exist_ok=True)
    return [
        *("setpriv", "--pdeathsig", "KILL"),
        *_fence(layout, machine),
        *Image(Path(machine.image)).command("slirp4netns"),
        "--target-type=bess",
        "--disable-host-loopback",
        f"--api-socket={layout.slirp_socket}",
        f"--ready-fd={ready}",
        str(layout.bess),
    ]


async def doors(machine: Machine, slirp: int) -> list[Relay]:
    """Lead from here to what the process `slirp` forwards inside its fence: the API, and what is asked for."""
    if not machine.fence:
        return []
    inner = psutil.Process(slirp).children(recursive=True)[-1].pid
    inside = Inside(Path(f"/proc/{inner}/ns/net"))
    wanted: dict[int | Path, int] = {machine.api_port: machine.api_port}
    wanted |= {Path(path): port for path, port in machine.fence.doors.items()}
    relays = [Relay(inside, "127.0.0.1", port, at) for at, port in wanted.items()]
    for relay in relays:
        await relay.open()
    return relays


def _fence(layout: Layout, machine: Machine) -> list[str]:
    """Return what is put before slirp4netns of a fenced machine: from in there, frames lead nowhere."""
    if not machine.fence:
        return []
    fence.owned(layout.net)
    readable = [Path(machine.image)]
    return fence.words(fence.Fence(), folder=Path("/"), writable=[layout.net], readable=readable, scratch_bytes=MiB)
