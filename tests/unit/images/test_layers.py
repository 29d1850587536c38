import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from docker_tutor.errors import RecipeFailed
from docker_tutor.images.describing import configured, upstream
from docker_tutor.images.layers import Layer, LayerWriter, rewrite
from docker_tutor.images.store import Made, MadeLayer, Store


def written(folder: Path, name: str, paths: list[str]) -> Layer:
    writer = LayerWriter(newest=1_700_000_000)
    for path in paths:
        writer.file(path, path.encode())
    return writer.write(folder / name)


def test_the_same_content_gives_the_same_digest_in_any_order(tmp_path: Path) -> None:
    paths = ["/etc/b", "/etc/a", "/usr/bin/x"]
    one, two = written(tmp_path, "1.tar", paths), written(tmp_path, "2.tar", paths[::-1])
    assert one.diff_id == two.diff_id


def test_parents_are_made_and_scripts_can_be_run(tmp_path: Path) -> None:
    writer = LayerWriter(newest=5)
    writer.file("/usr/bin/tool", b"#!/bin/sh\n")
    writer.file("/etc/plain", b"text")
    with tarfile.open(writer.write(tmp_path / "l.tar").file) as tar:
        assert tar.getnames() == ["etc", "etc/plain", "usr", "usr/bin", "usr/bin/tool"]
        assert tar.getmember("usr/bin/tool").mode == 0o755
        assert tar.getmember("etc/plain").mode == 0o644
        assert {info.mtime for info in tar} == {5}


def test_rewriting_drops_what_does_not_belong_and_clamps_times(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, mtime in (("z", 9_999), ("var/log/x", 1), ("a", 10)):
            info = tarfile.TarInfo(name)
            info.mtime, info.uname = mtime, "somebody"
            tar.addfile(info)
    raw.seek(0)
    layer = rewrite(raw, tmp_path / "l.tar", lambda path: not path.startswith("/var/log"), newest=100)
    with tarfile.open(layer.file) as tar:
        assert [(info.name, info.mtime, info.uname) for info in tar] == [("a", 10, ""), ("z", 100, "")]


def test_half_a_file_system_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path, "1.tar", ["/a"]).file
    with source.open("rb") as opened, pytest.raises(RecipeFailed, match="etc/b is not in it"):
        rewrite(opened, tmp_path / "2.tar", lambda _path: True, newest=1, expected=["/a", "/etc/b"])


@pytest.mark.parametrize("root", ["", "./", "/"])
def test_a_deleted_file_becomes_a_whiteout_and_a_link_to_a_lower_layer_a_file(tmp_path: Path, root: str) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        if root:
            top = tarfile.TarInfo(root)
            top.type = tarfile.DIRTYPE
            tar.addfile(top)
        below = tarfile.TarInfo(f"{root}bin/below")
        below.size = 4
        tar.addfile(below, io.BytesIO(b"data"))
        for name, target in (("bin/linked", "bin/below"), ("bin/second", "bin/linked")):
            info = tarfile.TarInfo(root + name)
            info.type, info.linkname = tarfile.LNKTYPE, root + target
            tar.addfile(info)
    raw.seek(0)
    layer = rewrite(raw, tmp_path / "l.tar", lambda path: path != "/bin/below", newest=1, deleted=["/etc/gone"])
    with tarfile.open(layer.file) as tar:
        assert tar.getnames() == ["bin/linked", "bin/second", "etc/.wh.gone"]
        assert tar.getmember("bin/linked").isreg()
        assert tar.extractfile("bin/linked").read() == b"data"  # type: ignore[union-attr]


def made(store: Store, layer: Layer) -> Made:
    result = Made(
        "thing-suite", "f" * 64, "1.0", 1_700_000_000, (MadeLayer(layer.diff_id, layer.size_bytes, "made"),), {}
    )
    store.keep(result, layer)
    return result


def test_what_was_made_is_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    kept = made(store, written(tmp_path, "l.tar", ["/a"]))
    assert store.find("thing-suite", "f" * 64) == kept
    assert store.find("thing-suite", "0" * 64) is None


def test_a_record_whose_layer_was_cut_short_counts_as_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    kept = made(store, written(tmp_path, "l.tar", ["/a"]))
    with store.layer_file(kept.layers[0].diff_id).open("r+b") as file:
        file.truncate(100)
    assert store.find("thing-suite", "f" * 64) is None


def test_old_versions_of_a_stand_in_are_forgotten_with_their_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docker_tutor.images.store.SETTLED_S", -1)
    store = Store(tmp_path / "store")
    versions = []
    for number in range(4):
        layer = written(tmp_path, "l.tar", [f"/{number}"])
        version = replace(made(store, layer), recipe=str(number) * 64)
        store.keep(version, None)
        versions.append(version)
    found = [store.find("thing-suite", version.recipe) for version in versions]
    assert found == [None, None, None, versions[3]]
    assert len(list((tmp_path / "store/layers").iterdir())) == 1


def test_an_archive_names_each_image_and_carries_a_shared_layer_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    kept = made(store, written(tmp_path, "l.tar", ["/a"]))
    archive = b"".join(store.archive([(kept, {"k": "1"}, ["one:1"]), (kept, {"k": "2"}, ["two:2"])]))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert [entry["RepoTags"] for entry in manifest] == [["one:1"], ["two:2"]]
        layers = [name for name in tar.getnames() if name.endswith(".tar")]
        assert layers == manifest[0]["Layers"] == manifest[1]["Layers"]


def test_environment_variables_are_merged_by_name() -> None:
    base = {"Env": ["PATH=/bin", "LANG=C"], "Cmd": ["sh"]}
    result = configured({"Env": ["LANG=C.UTF-8", "V={version}"], "Cmd": ["x"]}, "3.1", base)
    assert result == {"Env": ["PATH=/bin", "LANG=C.UTF-8", "V=3.1"], "Cmd": ["x"]}


def test_a_debian_version_is_cut_down_to_what_its_authors_named() -> None:
    assert [upstream(v) for v in ("1:3.11.2-1+b1", "5:7.0.15-1~deb12u10", "12.4+deb12u11", "")] == [
        "3.11.2",
        "7.0.15",
        "12.4",
        "",
    ]
