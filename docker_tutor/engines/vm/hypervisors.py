"""The ways to run the guest, by name: each is a module that knows how to start it and what its last words mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from docker_tutor.engines.vm import qemu, uml
from docker_tutor.engines.vm.layout import Layout
from docker_tutor.engines.vm.machine import Machine, Start

__all__ = ["HYPERVISORS", "Hypervisor"]


class Hypervisor(Protocol):
    """What such a module offers."""

    OVERHEAD_BYTES: int
    """What it takes beside the guest's memory."""
    READY_WITHIN_S: int
    """A guest whose Docker has not answered after that is given up."""

    SAVES: bool
    """Whether the state of a guest can be saved, over a connection that it is started with."""

    def possible(self) -> str | None:
        """Return None when it may run here, else the reason in one sentence."""

    def beside(self, layout: Layout, machine: Machine, /) -> dict[str, Start]:
        """Return what has to run before the guest is started, by name."""

    def start(
        self, layout: Layout, machine: Machine, console: int, line: int, log: int, control: int | None = None, /
    ) -> Start:
        """Return how the guest is started, with its console, its line and Docker's log at these descriptors.

        Over `control`, one that can be saved is told to; one that resumes rests until it is told over it to go on.
        """

    def explained(self, console: Path) -> str | None:
        """Return what the last words on the console mean, in one sentence."""


HYPERVISORS: Mapping[str, Hypervisor] = {"uml": uml, "qemu": qemu}
