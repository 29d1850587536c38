"""Gateway extensions that lie about what Compose asked for: a reservation, or a limit, that nobody keeps."""

from docker_tutor.gateway.requests import Request

__all__ = ["drop_memory_reservation", "drop_nano_cpus"]


def _drop(request: Request, field: str) -> None:
    if request.method == "POST" and request.path == "/containers/create" and request.body is not None:
        request.body.get("HostConfig", {}).pop(field, None)


def drop_memory_reservation(request: Request) -> None:
    """Drop `deploy.resources.reservations.memory`."""
    _drop(request, "MemoryReservation")


def drop_nano_cpus(request: Request) -> None:
    """Drop `deploy.resources.limits.cpus`."""
    _drop(request, "NanoCpus")
