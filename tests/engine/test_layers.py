"""Images taken apart on a real engine, whatever its image store."""

import shutil
import uuid
from collections.abc import Iterator

import pytest

from docker_tutor import open_room
from docker_tutor.classroom.room import Room
from docker_tutor.engines.base import Engine
from docker_tutor.errors import CapabilityMissing
from docker_tutor.topics import builds, layers

pytestmark = pytest.mark.engine

DOCKERFILE = """FROM alpine:3.19
WORKDIR /app
RUN head -c 1000000 /dev/zero > /big
RUN rm /big
ENV {nonce}=1
CMD ["true"]
"""


@pytest.fixture(scope="module")
def room(engine: Engine) -> Iterator[Room]:
    with open_room("06-layers", images=["alpine:3.19"]) as room:
        yield room


@pytest.fixture(scope="module")
def image(room: Room) -> Iterator[layers.Image]:
    nonce = uuid.uuid4().hex
    tag = room.unique("apart")
    folder = builds.write_context(room.folder / nonce, {"Dockerfile": DOCKERFILE.format(nonce=nonce)})
    builds.build(room, folder, tag=tag)
    yield layers.analyse(room, tag)
    room.cli("image", "rm", tag)


def test_layers_are_those_of_rootfs(room: Room, image: layers.Image) -> None:
    listed = room.api.inspect_image(image.name)["RootFS"]["Layers"]
    assert [layer.digest for layer in image.layers] == listed


def test_workdir_makes_a_layer_and_cmd_and_env_do_not(image: layers.Image) -> None:
    made = {line.instruction.split()[0]: line.layer is not None for line in image.history}
    assert made["WORKDIR"]
    assert not made["CMD"]
    assert not made["ENV"]


def test_what_a_later_layer_removes_is_still_shipped(image: layers.Image) -> None:
    rm = image.layers[-1]
    assert (rm.size_bytes, rm.hidden_bytes) == (0, 1_000_000)
    assert image.wasted_bytes >= 1_000_000
    assert image.waste().iloc[0]["path"] == "/big"


def test_dive_comes_to_much_the_same(room: Room, image: layers.Image) -> None:
    if shutil.which("dive") is None:
        with pytest.raises(CapabilityMissing, match="dive"):
            layers.dive(room, image.name)
        return
    second = layers.dive(room, image.name)
    assert second.efficiency == pytest.approx(image.efficiency, abs=0.1)
    assert second.wasted_bytes >= 1_000_000


def test_the_writes_of_one_container_are_invisible_to_another(room: Room) -> None:
    private = layers.private_writes(room)
    assert private.writer_reads == "mine"
    assert "No such file" in private.other_reads
    assert "A /note" in private.writer_changes
    assert private.other_changes == ()
    assert private.new_layers == 1
    assert room.api.containers(all=True, filters={"name": room.unique("writer")}) == []
