"""Rooms in real Jupyter kernels: shut down, restarted, killed, interrupted, and what a reader sees of them."""

import signal
from collections.abc import Iterator

import docker
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from waiting import until

from docker_tutor import images
from docker_tutor.engines.base import Engine
from docker_tutor.gateway import cleanup
from docker_tutor.gateway.labels import SCOPE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.one_in(2),
    # jupyter_client says so of every kernel over TCP; the ones here live for seconds, on loopback.
    pytest.mark.filterwarnings("ignore:.*without encryption.*"),
]

IMAGE = "alpine:3.19"
OPEN = f'from docker_tutor import check, open_room, predict\nroom = open_room("00-test", images=["{IMAGE}"])'
MAKE = f"%%bash\ndocker run -d --name web -v data:/d {IMAGE} sleep 600\ndocker network create lan"
WIDGET = "application/vnd.jupyter.widget-view+json"


class Kernel:
    """A kernel, and what came out of its last cell."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd="/")
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str) -> list[dict[str, object]]:
        outputs: list[dict[str, object]] = []

        def keep(message: dict[str, object]) -> None:
            if message["msg_type"] in {"stream", "display_data", "execute_result", "error", "update_display_data"}:
                outputs.append({"type": message["msg_type"], **message["content"]})  # type: ignore[dict-item]

        self.client.execute_interactive(code, output_hook=keep, timeout=120)
        return outputs

    def stop(self) -> None:
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(engine: Engine) -> Iterator[Kernel]:
    started = Kernel()
    yield started
    started.stop()


@pytest.fixture
def direct(engine: Engine) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=engine.address)
    images.ensure(client, [IMAGE], disposable=True)
    yield client
    client.close()


def of_scope(client: docker.DockerClient, scope: str) -> int:
    wanted = {"label": f"{SCOPE}={scope}"}
    # The lists alone: the SDK's own also inspects each, and one may be removed in between.
    containers, networks = client.api.containers(all=True, filters=wanted), client.api.networks(filters=wanted)
    return len(containers) + len(networks) + len(client.api.volumes(filters=wanted)["Volumes"] or [])


def gone(client: docker.DockerClient, scope: str) -> bool:
    return of_scope(client, scope) == 0 and scope not in {entry.scope for entry in cleanup.live_scopes()}


def fill(kernel: Kernel, direct: docker.DockerClient) -> str:
    kernel.run(OPEN)
    kernel.run(MAKE)
    (shown,) = kernel.run("print(room.scope)")
    scope = str(shown["text"]).strip()
    assert of_scope(direct, scope) == 3
    return scope


def test_a_kernel_that_is_shut_down_leaves_nothing(kernel: Kernel, direct: docker.DockerClient) -> None:
    scope = fill(kernel, direct)
    kernel.manager.shutdown_kernel()
    assert until(lambda: gone(direct, scope))


def test_a_kernel_that_is_restarted_leaves_nothing_of_its_former_life(
    kernel: Kernel, direct: docker.DockerClient
) -> None:
    former = fill(kernel, direct)
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=60)
    assert fill(kernel, direct) != former
    assert until(lambda: gone(direct, former))


def test_a_kernel_that_is_killed_leaves_nothing(kernel: Kernel, direct: docker.DockerClient) -> None:
    scope = fill(kernel, direct)
    kernel.manager.signal_kernel(signal.SIGKILL)
    assert until(lambda: gone(direct, scope))


def test_an_interrupted_cell_leaves_the_room_as_it_was(kernel: Kernel, direct: docker.DockerClient) -> None:
    scope = fill(kernel, direct)
    started = kernel.client.execute("print('waiting', flush=True)\nroom.wait.exit('web', within_s=60)")
    while kernel.client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    while kernel.client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] != started:
        pass
    assert of_scope(direct, scope) == 3
    shown = kernel.run("print(room.cli('ps', '--format', '{{.Names}}').stdout)")
    assert any("web" in str(output.get("text")) for output in shown)


def test_opening_a_room_leaves_one_output_the_summary(kernel: Kernel, direct: docker.DockerClient) -> None:
    shown = kernel.run(OPEN)
    assert [output["type"] for output in shown if output["type"] != "update_display_data"] in ([], ["display_data"])
    last = shown[-1]["data"]
    assert isinstance(last, dict)
    assert "room.close()" in last["text/plain"]
    assert "<progress" not in last["text/html"]


def test_a_check_that_fails_shows_its_message_and_nothing_of_our_insides(
    kernel: Kernel, direct: docker.DockerClient
) -> None:
    kernel.run(OPEN)
    (error,) = kernel.run("check('water runs uphill', 3, 4, look='docker ps')")
    assert error["ename"] == "CheckFailed"
    assert error["traceback"] == [
        "CheckFailed: ✗ water runs uphill\n  expected: 4\n  found:    3\n  look:     docker ps"
    ]


def test_a_question_is_a_widget_whose_answer_the_next_check_compares(
    kernel: Kernel, direct: docker.DockerClient
) -> None:
    kernel.run(OPEN)
    (question,) = kernel.run("asked = predict('Up or down?', 'up', 'down', answer=1)\nasked")
    assert isinstance(question["data"], dict)
    assert set(question["data"]) == {WIDGET, "text/html", "text/plain"}
    (unanswered,) = kernel.run("check('water runs down', True)")
    assert unanswered["text"] == "✓ water runs down\n"
    kernel.run("asked = predict('Up or down?', 'up', 'down', answer=1)\nasked")
    kernel.run("asked._buttons[0].click()")
    shown = "".join(str(output["text"]) for output in kernel.run("check('down', True)\ncheck('not up', True)"))
    assert shown == "✓ down\n✓ not up\n  You predicted: up — it turned out: down.\n"


def test_a_notebook_without_an_engine_shows_one_sentence(engine: Engine, direct: docker.DockerClient) -> None:
    kernel = Kernel()
    kernel.run(
        "import os\nos.environ.update(DOCKER_TUTOR_ENGINE='existing', DOCKER_HOST='unix:///nowhere/docker.sock')"
    )
    (error,) = kernel.run(OPEN)
    assert error["ename"] == "EngineNotFound"
    assert isinstance(error["traceback"], list)
    assert len(error["traceback"]) == 1
    kernel.stop()
