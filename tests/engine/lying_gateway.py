"""Gateway extensions that lie: each drops one limit from every container that is created, and says nothing."""

from docker_tutor.gateway.requests import Request

__all__ = ["drop_cpu_shares", "drop_memory", "drop_nano_cpus", "drop_pids_limit"]


def _drop(request: Request, *fields: str) -> None:
    if request.method == "POST" and request.path == "/containers/create" and request.body is not None:
        for field in fields:
            request.body.get("HostConfig", {}).pop(field, None)


def drop_memory(request: Request) -> None:
    """Drop `--memory`, and `--memory-swap` with it: the engine refuses the second without the first."""
    _drop(request, "Memory", "MemorySwap")


def drop_nano_cpus(request: Request) -> None:
    """Drop `--cpus`."""
    _drop(request, "NanoCpus")


def drop_cpu_shares(request: Request) -> None:
    """Drop `--cpu-shares`."""
    _drop(request, "CpuShares")


def drop_pids_limit(request: Request) -> None:
    """Drop `--pids-limit`."""
    _drop(request, "PidsLimit")
