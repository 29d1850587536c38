"""Layers are read against the view that those below give: tried on archives made by hand."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from docker_tutor.classroom.room import Room
from docker_tutor.topics import layers

Entry = tuple[str, bytes | None]
"""A path and its content; None makes a folder."""


def tar(*entries: Entry, compressed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compressed else "w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def image(tmp_path: Path, *blobs: bytes, history: list[dict[str, Any]] | None = None) -> layers.Image:
    digests = [f"sha256:{hashlib.sha256(blob).hexdigest()}" for blob in blobs]
    config = {
        "rootfs": {"diff_ids": digests},
        "history": history or [{"created_by": f"RUN {number}"} for number in range(len(blobs))],
    }
    names = [f"blobs/{number}" for number in range(len(blobs))]
    manifest = [{"Config": "config", "Layers": names}]
    saved = tar(
        ("manifest.json", json.dumps(manifest).encode()),
        ("config", json.dumps(config).encode()),
        *zip(names, blobs, strict=True),
    )
    api = SimpleNamespace(
        inspect_image=lambda name: {"Id": f"id of {name}"},
        get_image=lambda identity: iter([saved[:1000], saved[1000:]]) if identity.startswith("id of") else iter([]),
    )
    return layers.analyse(cast("Room", SimpleNamespace(api=api, folder=tmp_path)), "made:by-hand")


def kinds(layer: layers.Layer) -> dict[str, str]:
    return {change.path: change.kind for change in layer.changes}


BASE = tar(("d", None), ("d/a", b"12345"), ("d/b", b"1"), ("e", b"xx"))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_changed_file_hides_its_former_bytes(tmp_path: Path, *, compressed: bool) -> None:
    made = image(tmp_path, BASE, tar(("d", None), ("d/a", b"123"), ("new", b"9"), compressed=compressed))
    assert kinds(made.layers[1]) == {"/d/a": "changed", "/new": "added"}
    assert made.layers[1].hidden_bytes == 5
    assert (made.shipped_bytes, made.visible_bytes, made.wasted_bytes) == (12, 7, 5)


def test_a_whiteout_hides_a_file_and_brings_nothing(tmp_path: Path) -> None:
    made = image(tmp_path, BASE, tar(("d/.wh.a", b"")))
    assert kinds(made.layers[1]) == {"/d/a": "removed"}
    assert (made.layers[1].size_bytes, made.layers[1].hidden_bytes) == (0, 5)


def test_a_whiteout_of_a_folder_hides_all_that_is_in_it(tmp_path: Path) -> None:
    made = image(tmp_path, BASE, tar((".wh.d", b"")))
    assert made.layers[1].hidden_bytes == 6
    assert made.visible_bytes == 2


def test_an_opaque_folder_hides_what_was_below_and_not_what_its_own_layer_brings(tmp_path: Path) -> None:
    made = image(tmp_path, BASE, tar(("d", None), ("d/new", b"777"), ("d/.wh..wh..opq", b"")))
    assert made.layers[1].hidden_bytes == 6
    assert made.visible_bytes == 2 + 3


def test_a_file_that_comes_back_is_added_again(tmp_path: Path) -> None:
    made = image(tmp_path, BASE, tar((".wh.e", b"")), tar(("e", b"xxx")))
    assert kinds(made.layers[2]) == {"/e": "added"}
    assert made.wasted_bytes == 2


def test_efficiency_is_one_when_nothing_is_shipped_in_vain(tmp_path: Path) -> None:
    assert image(tmp_path, BASE).efficiency == 1.0
    assert image(tmp_path, tar(("d", None))).efficiency == 1.0


def test_the_largest_waste_comes_first_and_says_how(tmp_path: Path) -> None:
    made = image(tmp_path, BASE, tar(("d/.wh.b", b""), ("d/a", b"")))
    assert made.waste().to_dict("records") == [
        {"path": "/d/a", "wasted [B]": 5, "how": "changed in 1"},
        {"path": "/d/b", "wasted [B]": 1, "how": "removed in 1"},
    ]


def test_what_only_configures_has_no_layer_and_builders_additions_are_taken_away(tmp_path: Path) -> None:
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in /"},
        {"created_by": 'CMD ["x"]', "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
        {"created_by": "/bin/sh -c make old"},
        {"comment": "Imported from -"},
    ]
    made = image(tmp_path, BASE, tar(("x", b"1")), tar(("y", b"1")), tar(("z", b"1")), history=history)
    assert [(line.instruction, line.layer) for line in made.history] == [
        ("ADD file:1 in /", 0),
        ('CMD ["x"]', None),
        ("RUN make", 1),
        ("RUN make old", 2),
        ("Imported from -", 3),
    ]
    assert [layer.instruction for layer in made.layers] == [
        "ADD file:1 in /",
        "RUN make",
        "RUN make old",
        "Imported from -",
    ]


def test_nothing_of_the_archive_is_left_in_the_room(tmp_path: Path) -> None:
    image(tmp_path, BASE)
    assert list(tmp_path.iterdir()) == []
