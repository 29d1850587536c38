"""Somebody's rootless daemon, run by an ordinary user: what it can do is done, and what it cannot is said."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docker_tutor import MiB, open_room, paths
from docker_tutor.classroom.room import Room
from docker_tutor.engines.packages import Archive, unpack
from docker_tutor.engines.patching import library_folder, patch
from docker_tutor.errors import CapabilityMissing
from docker_tutor.topics import cgroups, namespaces, networks, overlay

pytestmark = pytest.mark.engine

PACKAGES = ["docker.io", "docker-cli", "containerd", "runc", "rootlesskit", "uidmap", "slirp4netns", "iptables"]
USER = 12345
AS_A_USER = """\
set -e
mount --bind {home}/passwd /etc/passwd
for each in subuid subgid; do mount --bind {home}/subordinate /etc/$each; done
exec setpriv --reuid {user} --regid {user} --clear-groups \
    sh {root}/usr/share/docker.io/contrib/dockerd-rootless.sh --userland-proxy-path={root}/usr/sbin/docker-proxy
"""


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """Run Debian's rootless dockerd as a user whom only its own mount namespace knows."""
    missing = [path for path in ("/etc/subuid", "/etc/subgid") if not Path(path).exists()]
    if missing:
        pytest.skip(f"there is no {missing[0]} over which the user's own could be mounted")
    home = Path(tempfile.mkdtemp(prefix="rootless-"))  # pytest's own folders may be entered by their owner alone
    home.chmod(0o755)
    root = home / "root"
    unpack(Archive().fetch(PACKAGES), root)
    patch(root, root)
    for name in ("newuidmap", "newgidmap"):
        (root / "usr/bin" / name).chmod(0o4755)
    passwd = Path("/etc/passwd").read_text(encoding="utf-8")
    (home / "passwd").write_text(f"{passwd}rootless:x:{USER}:{USER}::{home}/own:/bin/sh\n", encoding="utf-8")
    (home / "subordinate").write_text("rootless:200000:65536\n", encoding="utf-8")
    for name in ("own", "run"):
        (home / name).mkdir(mode=0o700)
        os.chown(home / name, USER, USER)
    (home / "bin").mkdir()
    for name in ("iptables", "ip6tables"):
        (home / "bin" / name).symlink_to(root / "usr/sbin/xtables-nft-multi")
    environment = {
        "HOME": f"{home}/own",
        "XDG_RUNTIME_DIR": f"{home}/run",
        "PATH": f"{home}/bin:{root}/usr/sbin:{root}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "XTABLES_LIBDIR": str(library_folder(root) / "xtables"),
        "DOCKERD_ROOTLESS_ROOTLESSKIT_NET": "slirp4netns",
    }
    script = AS_A_USER.format(home=home, root=root, user=USER)
    # Of a PID namespace of its own: what the user has started ends with its first process.
    words = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script]
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as daemon:
        assert daemon.stdout is not None
        said = []
        try:
            for line in daemon.stdout:
                said.append(line)
                if "API listen on" in line:
                    break
            else:
                pytest.fail("".join(said))
            yield home / "run/docker.sock"
        finally:
            first = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text(encoding="ascii").split()
            os.kill(int(first[0]), signal.SIGKILL)
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def room(socket: Path) -> Iterator[Room]:
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("DOCKER_HOST", f"unix://{socket}")
        shell.setenv("DOCKER_TUTOR_ENGINE", "existing")
        shell.setenv("DOCKER_TUTOR_INSTANCE", f"tr{os.getpid()}")
        with open_room("00-rootless", images=["alpine:3.19", "python:3.11-slim"]) as opened:
            yield opened
        for folder in (paths.runtime_folder(), paths.data_folder()):
            shutil.rmtree(folder)


def test_containers_run_with_namespaces_layers_and_names_of_their_own(room: Room) -> None:
    # Its PID namespace is one of its own here: the numbers that it names are not this machine's.
    assert (room.engine.kind, room.capabilities.host_processes) == ("existing", False)
    assert room.cli("run", "--rm", "alpine:3.19", "echo", "hi").stdout == "hi\n"
    assert namespaces.pid_one(room).pid_inside == 1
    assert overlay.copy_up(room, file_bytes=8 * MiB).writable_after_write_bytes >= 8 * MiB
    names = networks.names(room)
    assert names.find("name").user_bridge == (names.address,)


def test_a_limit_that_would_be_ignored_is_a_capability_that_is_missing(room: Room) -> None:
    if room.capabilities.cgroup_driver != "none":
        assert cgroups.memory_limit(room, limit_bytes=32 * MiB, ask_bytes=64 * MiB).oom_killed
        return
    with pytest.raises(CapabilityMissing, match="this engine sets none"):
        cgroups.memory_limit(room, limit_bytes=32 * MiB, ask_bytes=64 * MiB)
