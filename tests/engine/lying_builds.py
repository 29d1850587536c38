"""Gateway extensions that lie about builds and layers: a cache that is never used, writes that nobody sees."""

from docker_tutor.gateway.requests import Reply, Request

__all__ = ["forget_the_cache", "hide_changes"]


async def forget_the_cache(request: Request) -> None:
    """Empty the build cache before every build: BuildKit is asked through `/grpc`."""
    if request.path == "/grpc":
        await request.daemon.call("POST", "/build/prune?all=1")


def hide_changes(request: Request) -> Reply | None:
    """Answer `docker diff` with an empty list."""
    if request.path.endswith("/changes"):
        return Reply(200, [])
    return None
