import io
import json
import tarfile
from typing import Any

import pytest

from docker_tutor.gateway.archive import UnreadableArchive, names_in


def archive(mode: str, **files: Any) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_names_are_found_in_both_forms_of_an_archive(mode: str) -> None:
    index = {"manifests": [{"annotations": {"io.containerd.image.name": "docker.io/library/b:2"}}, {}]}
    packed = archive(mode, manifest_json=[{"RepoTags": ["a:1"]}, {"RepoTags": None}], index_json=index)
    assert names_in(packed) == ["a:1", "docker.io/library/b:2"]
    assert packed.tell() == 0


def test_the_oldest_form_has_names_too() -> None:
    assert names_in(archive("w", repositories={"a": {"1": "id", "2": "id"}})) == ["a:1", "a:2"]


@pytest.mark.parametrize("data", [b"no archive at all", b"", b"\x28\xb5\x2f\xfd" + bytes(600)])
def test_what_cannot_be_read_is_said_so(data: bytes) -> None:
    with pytest.raises(UnreadableArchive):
        names_in(io.BytesIO(data))
