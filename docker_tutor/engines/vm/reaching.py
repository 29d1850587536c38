"""Programs of the guest, for whoever types them on this machine: `ctr` and `runc`, carried out in the guest.

Each is a small script that starts a container which sees the guest's processes and enters the file system of its first
one (`man 1 nsenter`). So it goes through the engine, like everything else, and needs no door of its own: whatever image
is there lends its name, since the only program that runs is the guest's. The folders that the guest shares with this
machine have the same names there, and the command is carried out in the folder in which it was typed.
"""

from pathlib import Path

from docker_tutor.engines.vm.layout import Layout

__all__ = ["CONTAINERD", "folder", "programs", "write"]

CONTAINERD = "/run/docker/containerd/containerd.sock"
"""Where dockerd's own containerd listens, in the guest."""
PROGRAMS = ("ctr", "runc")
SCRIPT = """\
#!/bin/sh
# Carries {program} out in the engine's virtual machine, without an input: a script that types it keeps its own.
image=$(docker images --quiet | head -n 1)
[ "$image" ] || {{ echo '{program}: the engine has no image yet, and a container takes us to it' >&2; exit 1; }}
exec docker run --rm --privileged --pid host --network host --ipc host --uts host --cgroupns host \\
  --volume /usr/bin/busybox:/guest/busybox:ro --entrypoint /guest/busybox \\
  --env PATH=/usr/sbin:/usr/bin --env "CONTAINERD_ADDRESS=${{CONTAINERD_ADDRESS:-{containerd}}}" \\
  "$image" nsenter -t 1 -m -- /usr/bin/busybox sh -c 'cd "$0" && exec "$@"' "$PWD" {program} "$@" </dev/null
"""


def folder(layout: Layout) -> Path:
    """Return the folder of the scripts, for `PATH`."""
    return layout.runtime / "bin"


def programs(layout: Layout) -> dict[str, Path]:
    """Return the scripts by the names of their programs; none while the machine is down."""
    return {name: path for name in PROGRAMS if (path := folder(layout) / name).exists()}


def write(layout: Layout) -> None:
    """Write the scripts into the owner-only folder of a machine that is prepared."""
    folder(layout).mkdir(mode=0o700, exist_ok=True)
    for name in PROGRAMS:
        script = folder(layout) / name
        script.write_text(SCRIPT.format(program=name, containerd=CONTAINERD), encoding="utf-8")
        script.chmod(0o700)
