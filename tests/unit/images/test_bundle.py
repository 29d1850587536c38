import gzip
import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import ImageNotFound as NotHere

from docker_tutor.errors import ImageError, ImageNotFound
from docker_tutor.images import bundle
from docker_tutor.images.bundle import contents, load_bundle, save_bundle


class FakeEngine:
    """Holds images by name; a loaded bundle gives every name in it the id `loaded`."""

    base_url = "http+docker://fake"
    api_version = "1.45"

    def __init__(self, images: dict[str, tuple[str, dict[str, str]]], archive: bytes = b"") -> None:
        self.held = images
        self.ids = {image_id for image_id, _labels in images.values()}
        self.loaded: list[str] = []
        self._archive = archive
        self.api = self
        self.images = self

    def get(self, name: str, **asked: Any) -> Any:
        if name.startswith(self.base_url):
            self.asked = asked["params"]["names"]
            chunks = [self._archive]
            return SimpleNamespace(status_code=200, iter_content=lambda _size: iter(chunks))
        if name not in self.held and name not in self.ids:
            raise NotHere(name)
        image_id, labels = self.held.get(name) or (name, {})
        tag = lambda repository, tag: self.held.__setitem__(f"{repository}:{tag}", (image_id, labels))  # noqa: E731
        return SimpleNamespace(id=image_id, attrs={"Size": 7, "Config": {"Labels": labels}}, tag=tag)

    timeout = 60

    def load_image(self, data: Any, *, quiet: bool) -> list[dict[str, str]]:
        whole = gzip.decompress(b"".join(data))
        with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
            said = json.load(cast("Any", tar.extractfile("docker-tutor.json")))
        for entry in said["images"]:
            self.held[entry["saved_as"]] = ("loaded", {})
        return []


def client(engine: FakeEngine) -> DockerClient:
    return cast("DockerClient", engine)


STAND_IN = {"docker-tutor.stand-in": "nginx:latest"}


def saved(folder: Path) -> Path:
    held = {
        "nginx:latest": ("n1", STAND_IN),
        "docker-tutor/stand-in/nginx:latest": ("n1", STAND_IN),
        "alpine:3.19": ("a1", {}),
    }
    save_bundle(client(FakeEngine(held)), ["nginx", "alpine:3.19"], folder / "class.tar.gz")
    return folder / "class.tar.gz"


def test_a_stand_in_travels_under_its_own_name(tmp_path: Path) -> None:
    table = contents(saved(tmp_path))
    assert [(c.name, c.saved_as) for c in table] == [
        ("nginx:latest", "docker-tutor/stand-in/nginx:latest"),
        ("alpine:3.19", "alpine:3.19"),
    ]


def test_it_gets_the_real_name_on_a_disposable_engine_only(tmp_path: Path) -> None:
    file = saved(tmp_path)
    own, theirs = FakeEngine({}), FakeEngine({})
    load_bundle(client(own), file, disposable=True)
    load_bundle(client(theirs), file, disposable=False)
    assert "nginx:latest" in own.held
    assert "nginx:latest" not in theirs.held


def test_a_name_that_means_something_else_on_their_engine_keeps_its_meaning(tmp_path: Path) -> None:
    theirs = FakeEngine({"alpine:3.19": ("theirs", {})})
    provided = load_bundle(client(theirs), saved(tmp_path), disposable=False)
    assert theirs.held["alpine:3.19"][0] == "theirs"
    assert "still does" in provided[1].note
    assert provided[1].image_id == "loaded"


def test_an_image_that_is_not_here_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFound, match="not on the engine"):
        save_bundle(client(FakeEngine({})), ["nginx"], tmp_path / "class.tar.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_cut_short_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "CHUNK_BYTES", 16)
    file = saved(tmp_path)
    file.write_bytes(file.read_bytes()[:-6])
    engine = FakeEngine({})
    with pytest.raises(ImageError, match="not whole"):
        load_bundle(client(engine), file, disposable=True)
    assert engine.held == {}


@pytest.mark.parametrize("content", [b"no gzip at all", gzip.compress(b"no tar at all")])
def test_another_file_is_not_taken_for_a_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ImageError, match="not a bundle"):
        contents(tmp_path / "x")


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        contents(tmp_path / "x")
