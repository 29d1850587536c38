"""Ask a running daemon, and look around it, for what it can do."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Literal

from docker_tutor.engines.asking import ask, reach
from docker_tutor.engines.base import Capabilities, Tools
from docker_tutor.engines.looking import (
    cgroups_visible,
    daemon_process,
    ipvs_available,
    layers_visible,
    processes_visible,
)

__all__ = ["probe"]

NOBODY = "unix:///nowhere"
"""For what only the client is asked."""


def probe(where: Path | str, tools: Tools, *, disposable: bool) -> Capabilities:
    """Return what the daemon at a Unix socket or an address can do. Raises `EngineNotFound` or `EngineNotPermitted`."""
    version = reach(where)
    info: dict[str, Any] = ask(where, "GET", "/info", within_s=30)
    store = _image_store(info)
    daemon = daemon_process(where) if isinstance(where, Path) else None
    plugins = _plugins(tools)
    return Capabilities(
        engine_version=str(version["Version"]),
        api_version=str(version["ApiVersion"]),
        image_store=store,
        storage_driver=str(info["Driver"]),
        cgroup_version=2 if str(info.get("CgroupVersion", "1")) == "2" else 1,
        cgroup_driver=str(info.get("CgroupDriver", "none")),
        cpus=int(info["NCPU"]),
        memory_bytes=int(info["MemTotal"]),
        swap_limit=bool(info.get("SwapLimit")),
        buildx=plugins.get("buildx"),
        compose=plugins.get("compose"),
        swarm="Swarm" in info and not info.get("LiveRestoreEnabled"),
        ipvs=ipvs_available(daemon),
        runtimes=tuple(sorted(info.get("Runtimes", ()))),
        cache_export_local=store == "containerd",
        host_processes=processes_visible(daemon),
        host_cgroups=cgroups_visible(daemon),
        host_layers=layers_visible(info),
        disposable=disposable,
    )


def _image_store(info: dict[str, Any]) -> Literal["graph", "containerd"]:
    status = dict(pair for pair in info.get("DriverStatus") or () if len(pair) == 2)
    return "containerd" if "containerd" in status.get("driver-type", "") else "graph"


def _plugins(tools: Tools) -> dict[str, str]:
    """Return the CLI's plugins and their versions; empty when there is no CLI."""
    docker = shutil.which("docker", path=os.pathsep.join([*map(str, tools.path), os.environ.get("PATH", "")]))
    if docker is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(dict(tools.config)), encoding="utf-8")
        environment = os.environ | {"DOCKER_CONFIG": folder, "DOCKER_HOST": NOBODY}
        command = [docker, "info", "--format", "{{json .ClientInfo.Plugins}}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else []
    return {plugin["Name"]: plugin["Version"] for plugin in found or () if not plugin.get("Err")}
