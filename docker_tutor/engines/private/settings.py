"""The configuration files of the private daemons: everything is said, nothing of the machine's own is read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.programs import Programs

__all__ = ["write"]

SLIRP_DNS = "10.0.2.3"
"""Where slirp4netns answers for the machine's own resolver, whatever that is."""
UNUSED_PLUGINS = (
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
)
CONTAINERD = """\
version = 2
root = {root}
state = {state}
disabled_plugins = {disabled}
[grpc]
  address = {address}
[ttrpc]
  address = {ttrpc}
"""


def write(layout: Layout, programs: Programs, more: Mapping[str, object] | None = None) -> tuple[Path, Path]:
    """Write the configurations of containerd and dockerd and return their paths.

    `more` is added to dockerd's and goes before what is said here.
    `DOCKER_TUTOR_IMAGE_STORE=containerd` chooses the image store of Engine 29 (else: the engine's default).
    """
    containerd = layout.runtime / "containerd.toml"
    containerd.write_text(_containerd(layout), encoding="utf-8")
    daemon = layout.daemon_json
    daemon.write_text(json.dumps({**_daemon(layout, programs), **(more or {})}, indent=1), encoding="utf-8")
    return containerd, daemon


def _containerd(layout: Layout) -> str:
    # A TOML string is written as a JSON string is.
    return CONTAINERD.format(
        root=json.dumps(str(layout.data / "containerd")),
        state=json.dumps(str(layout.exec_root / "containerd/state")),
        address=json.dumps(str(layout.containerd_socket)),
        ttrpc=json.dumps(f"{layout.containerd_socket}.ttrpc"),
        disabled=json.dumps(UNUSED_PLUGINS),
    )


def _daemon(layout: Layout, programs: Programs) -> dict[str, object]:
    settings: dict[str, object] = {
        "data-root": str(layout.data_root),
        "exec-root": str(layout.exec_root),
        "pidfile": str(layout.runtime / "dockerd.pid"),
        "hosts": [f"unix://{layout.socket}"],
        "group": str(os.getgid()),
        "containerd": str(layout.containerd_socket),
        "cgroup-parent": layout.cgroup_parent,
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "dns": [SLIRP_DNS],
        "userland-proxy-path": str(programs.path("docker-proxy")),
        "shutdown-timeout": 5,
    }
    if store := os.environ.get("DOCKER_TUTOR_IMAGE_STORE"):
        settings["features"] = {"containerd-snapshotter": store == "containerd"}
    return settings
