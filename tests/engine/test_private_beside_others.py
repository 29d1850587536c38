"""A daemon that runs beside ours is left as it was: its containers, its links, its packet filter, its ports."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_tutor.engines.base import Engine
from docker_tutor.engines.packages import mirrors
from docker_tutor.engines.private import nameservers
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.starting import environment
from docker_tutor.engines.programs import ensure

pytestmark = pytest.mark.engine

Docker = Callable[..., str]
OURS = """
import json, os, subprocess, sys
from pathlib import Path
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.engines.private.layout import Layout

name, runtime, data, image = sys.argv[1:]
engine = PrivateEngine(Layout(name, Path(runtime), Path(data)))
engine.up()
docker = [str(engine.tools.programs["docker"]), "--host", engine.address]
subprocess.run([*docker, "import", image, "tiny"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([*docker, "network", "create", "ours"], check=True, stdout=subprocess.DEVNULL)
web = ["run", "--detach", "--publish", "8080:80", "--network", "ours", "tiny", "httpd", "-f", "-h", "/www"]
subprocess.run([*docker, *web], check=True, stdout=subprocess.DEVNULL)
engine.down()
"""
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end='')"
ASK = """
import socket, sys
question = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6)
question += b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[2].split(".")) + b"\\0\\0\\1\\0\\1"
with socket.socket(type=socket.SOCK_DGRAM) as asking:
    asking.settimeout(5)
    asking.sendto(question, (sys.argv[1], 53))
    print(asking.recv(500)[7])
"""


def inside(engine: Engine, *command: str | Path) -> str:
    """Run a command in the network of `engine` and return what it prints."""
    variables = environment_of(engine)
    whole = [*(engine.tools.enter or ()), *map(str, command)]
    return subprocess.run(whole, capture_output=True, text=True, check=True, env=variables).stdout


def environment_of(engine: Engine) -> dict[str, str]:
    assert isinstance(engine, PrivateEngine)
    return environment(engine.layout, ensure())


def dump(engine: Engine, docker: Docker) -> dict[str, str]:
    """Everything of an engine that a neighbour could have changed, without counters and times."""
    rules = inside(engine, engine.tools.programs["iptables-save"])
    links = json.loads(inside(engine, "ip", "-json", "address"))
    return {
        # The state of duplicate address detection is a time too.
        "links": "\n".join(
            f"{link['ifname']} {address['local']}/{address['prefixlen']}"
            for link in links
            for address in link["addr_info"]
        ),
        "rules": re.sub(r"^#.*\n|\[\d+:\d+\]", "", rules, flags=re.MULTILINE),
        "containers": docker("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}} {{.Ports}}"),
        "networks": docker("network", "ls", "--no-trunc"),
        # Images made in the same second come in any order.
        "images": "\n".join(sorted(docker("images", "--all", "--no-trunc", "--quiet").split())),
        "volumes": docker("volume", "ls", "--quiet"),
    }


def test_an_engine_started_on_a_machine_with_another_daemon_leaves_it_unharmed(
    private_engine: PrivateEngine,
    engine_of_its_own: Callable[[str], PrivateEngine],
    docker_of: Callable[[Engine], Docker],
    tiny_tar: Path,
) -> None:
    # The network of this engine plays the machine: its dockerd is the one that was there before.
    there_before = docker_of(private_engine)
    container = there_before("run", "--detach", "--publish", "8080:80", "tiny", "httpd", "-f", "-h", "/www")
    ours = engine_of_its_own("b").layout
    try:
        before = dump(private_engine, there_before)
        arguments = [ours.name, ours.runtime, ours.data, tiny_tar]
        inside(private_engine, sys.executable, "-c", OURS, *arguments)
        assert dump(private_engine, there_before) == before
        assert inside(private_engine, sys.executable, "-c", FETCH, "http://10.0.2.100:8080/") == "hello\n"
    finally:
        there_before("rm", "--force", container)


def test_two_instances_side_by_side_see_nothing_of_each_other(
    private_engine: PrivateEngine,
    engine_of_its_own: Callable[[str], PrivateEngine],
    docker_of: Callable[[Engine], Docker],
) -> None:
    one = docker_of(private_engine)
    before = dump(private_engine, one)
    other_engine = engine_of_its_own("b")
    other_engine.up()
    other = docker_of(other_engine)
    other("run", "--detach", "--name", "same-name", "tiny", "sleep", "600")
    assert "same-name" not in one("ps", "--all", "--format", "{{.Names}}")
    other_engine.down(purge=True)
    assert dump(private_engine, one) == before


def test_a_resolver_on_loopback_is_answered_inside(private_engine: PrivateEngine) -> None:
    mirror = re.sub(r"^\w+://([^/:]+).*", r"\1", mirrors().uri)
    nameservers.send_on(private_engine.layout, environment_of(private_engine), ["127.0.0.53"])
    answers = inside(private_engine, sys.executable, "-c", ASK, "127.0.0.53", mirror)
    assert int(answers) > 0


def test_a_containerd_of_the_machine_is_never_used(private_engine: PrivateEngine) -> None:
    settings = json.loads((private_engine.layout.runtime / "daemon.json").read_text(encoding="utf-8"))
    assert settings["containerd"] == str(private_engine.layout.containerd_socket)


def test_only_the_owner_may_use_the_socket(private_engine: PrivateEngine) -> None:
    assert private_engine.layout.runtime.parent.stat().st_mode & 0o077 == 0
    assert private_engine.layout.socket.stat().st_mode & 0o007 == 0
