"""What can be awaited of a container: exit, running, healthy. Each is an object that looks at a container's state.

Source of the states: Docker Engine API, `ContainerInspect`, `State` and `State.Health`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from docker_tutor.i18n import _

__all__ = ["Condition", "ContainerState", "Exit", "Healthy", "Running"]

_ENDED = ("exited", "dead", "removing", "removed")


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container at one moment."""

    container_id: str
    name: str
    status: str
    """`created`, `running`, `paused`, `restarting`, `exited`, `dead`; `removed` when there is no such container."""
    exit_code: int | None = None
    """The exit status, once it has ended."""
    oom_killed: bool = False
    health: str | None = None
    """`starting`, `healthy`, `unhealthy`; None when the container has no health check."""
    health_output: str = ""
    """What the last health check wrote."""

    @classmethod
    def of(cls, attrs: Mapping[str, Any]) -> "ContainerState":
        """Read the state out of what `docker inspect` gives."""
        state = attrs["State"]
        health = state.get("Health") or {}
        checks = health.get("Log") or []
        status = state["Status"]
        return cls(
            container_id=attrs["Id"],
            name=attrs["Name"].lstrip("/"),
            status=status,
            exit_code=state["ExitCode"] if status in _ENDED or status == "restarting" else None,
            oom_killed=bool(state.get("OOMKilled")),
            health=health.get("Status"),
            health_output=checks[-1].get("Output", "").strip() if checks else "",
        )

    def words(self) -> str:
        """Say the state in a few words: `exited with 137 (OOM-killed)`, `running, health: starting`."""
        said = self.status
        if self.exit_code is not None:
            said = _("{status} with {code}").format(status=self.status, code=self.exit_code)
        if self.oom_killed:
            said += _(" (OOM-killed)")
        if self.health:
            said += _(", health: {health}").format(health=self.health)
        if self.health_output:
            said += f" ({self.health_output[-200:]})"
        return said


class Condition(Protocol):
    """Something that a container's state can fulfil."""

    @property
    def words(self) -> str:
        """What is awaited, after "waited for NAME to …"."""

    def met(self, state: ContainerState) -> bool:
        """Return whether it has happened."""

    def hopeless(self, state: ContainerState) -> bool:
        """Return whether it can no longer happen, so that waiting on is of no use."""


@dataclass(frozen=True, slots=True)
class Exit:
    """The container's first process has ended, and no restart policy has started it again."""

    @property
    def words(self) -> str:
        """What is awaited."""
        return _("exit")

    def met(self, state: ContainerState) -> bool:
        """Return whether it has ended; one that was removed by `--rm` has."""
        return state.status in _ENDED

    def hopeless(self, state: ContainerState) -> bool:  # noqa: ARG002 - the protocol's signature
        """Return False: whatever runs may end."""
        return False


@dataclass(frozen=True, slots=True)
class Running:
    """The container's first process has been started and lives."""

    @property
    def words(self) -> str:
        """What is awaited."""
        return _("be running")

    def met(self, state: ContainerState) -> bool:
        """Return whether it runs."""
        return state.status == "running"

    def hopeless(self, state: ContainerState) -> bool:
        """Return whether it is gone for good."""
        return state.status in ("removed", "dead")


@dataclass(frozen=True, slots=True)
class Healthy:
    """The container's health check has succeeded."""

    @property
    def words(self) -> str:
        """What is awaited."""
        return _("be healthy")

    def met(self, state: ContainerState) -> bool:
        """Return whether the last checks succeeded."""
        return state.status == "running" and state.health == "healthy"

    def hopeless(self, state: ContainerState) -> bool:
        """Return whether it has ended, or has no health check that could succeed."""
        return state.status in _ENDED or (state.status == "running" and state.health is None)
