"""Digests are recomputed, not believed: an image with one byte changed is found out."""

import io
import json
import tarfile

import pytest

from docker_tutor.errors import ImageError
from docker_tutor.topics import oci

LAYER = b"the bytes of a layer"


def _layout(layer: bytes = LAYER) -> tarfile.TarFile:
    """Return the smallest layout; `layer` is stored under the name of the true one."""

    def named(data: bytes, kind: str) -> tuple[str, dict[str, str]]:
        digest = oci.sha256(data)
        return "blobs/" + digest.replace(":", "/"), {"digest": digest, "mediaType": kind}

    layer_path, layer_named = named(LAYER, "layer")
    config = json.dumps({"rootfs": {"diff_ids": [oci.sha256(LAYER)]}}).encode()
    config_path, config_named = named(config, "config")
    manifest = json.dumps({"config": config_named, "layers": [layer_named]}).encode()
    manifest_path, manifest_named = named(manifest, "manifest")
    index = json.dumps({"manifests": [manifest_named]}).encode()
    files = {"index.json": index, manifest_path: manifest, config_path: config, layer_path: layer}
    return tarfile.open(fileobj=io.BytesIO(oci._tar(files)))


def test_a_true_image_is_walked_from_index_to_layer() -> None:
    walk = oci._walk("x", _layout())
    assert [blob.kind for blob in walk.blobs] == ["manifest", "config", "layer 1"]
    assert all(blob.true for blob in walk.blobs)
    assert walk.layers[0].diff_id == walk.config["rootfs"]["diff_ids"][0]
    assert list(walk.to_frame()["named"]) == list(walk.to_frame()["recomputed"])


def test_a_changed_byte_is_found_in_the_layer_and_nowhere_else() -> None:
    walk = oci._walk("x", _layout(LAYER[:-1] + b"?"))
    assert [blob.true for blob in walk.blobs] == [True, True, False]


def test_what_is_no_layout_says_which_engine_is_needed() -> None:
    old = io.BytesIO(oci._tar({"manifest.json": b"[]"}))
    with tarfile.open(fileobj=old) as empty, pytest.raises(ImageError, match="engine from 25 on"):
        oci._walk("old:1", empty)
