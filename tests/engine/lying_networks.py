"""Gateway extensions that lie about networks and namespaces: each changes what a request asks for, and says nothing."""

from docker_tutor.gateway.requests import Request

__all__ = ["default_bridge", "host_pid", "host_uts", "no_aliases", "ports_not_published", "swapped_subnets"]

BUILT_IN = {"", "bridge", "default", "host", "none"}


def _creates_container(request: Request) -> bool:
    return request.method == "POST" and request.path == "/containers/create" and request.body is not None


def host_pid(request: Request) -> None:
    """Give every container the engine's PID namespace, unless it joins another container's."""
    if _creates_container(request) and request.body is not None:
        host = request.body["HostConfig"]
        host["PidMode"] = host.get("PidMode") or "host"


def host_uts(request: Request) -> None:
    """Give every container the engine's UTS namespace; it may then have no host name of its own."""
    if _creates_container(request) and request.body is not None:
        request.body["HostConfig"]["UTSMode"] = "host"
        request.body["Hostname"] = ""


async def default_bridge(request: Request) -> None:
    """Put containers that ask for a bridge of the user's on the default one.

    Not those with an alias: the daemon refuses aliases there, and the lie would be found out before any check.
    """
    if _creates_container(request) and request.body is not None:
        wanted = request.body["HostConfig"].get("NetworkMode", "")
        ends = (request.body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        aliased = any((end or {}).get("Aliases") for end in ends.values())
        if wanted in BUILT_IN or wanted.startswith("container:") or aliased:
            return
        network = (await request.daemon.call("GET", f"/networks/{wanted}")).json()
        if network["Driver"] == "bridge":
            request.body["HostConfig"]["NetworkMode"] = "bridge"
            request.body["NetworkingConfig"] = {}


def no_aliases(request: Request) -> None:
    """Drop every network alias, at creation and at connecting."""
    if request.method != "POST" or request.body is None:
        return
    ends = list(((request.body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}).values())
    ends.append(request.body.get("EndpointConfig"))
    for end in ends:
        if end:
            end.pop("Aliases", None)


def swapped_subnets(request: Request) -> None:
    """Give new networks a range in 10.0.0.0/8 instead of the one asked for."""
    if request.method == "POST" and request.path == "/networks/create" and request.body is not None:
        for config in (request.body.get("IPAM") or {}).get("Config") or []:
            for key in ("Subnet", "Gateway", "IPRange"):
                if config.get(key):
                    config[key] = "10." + config[key].partition(".")[2]


def ports_not_published(request: Request) -> None:
    """Forget `-p` and `-P`."""
    if _creates_container(request) and request.body is not None:
        request.body["HostConfig"].pop("PortBindings", None)
        request.body["HostConfig"].pop("PublishAllPorts", None)
