"""Extensions for the tests: gateways that lie."""

from docker_tutor.gateway import Reply, Request


def drop_memory(request: Request) -> None:
    """Make containers without the memory limit that was asked for."""
    if request.path == "/containers/create":
        request.body["HostConfig"].pop("Memory", None)


async def answer_info(request: Request) -> Reply | None:
    """Answer `docker info` with another name, made from the daemon's."""
    if request.path != "/info":
        return None
    info = (await request.daemon.call("GET", "/info")).json()
    return Reply(200, info | {"Name": f"lied about {info['Name']}"})
