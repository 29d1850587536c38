"""Let the daemon resolve names when the machine's resolver listens on loopback only (systemd-resolved, dnsmasq).

The daemon reads the machine's `/etc/resolv.conf` and is told 127.0.0.53, which in its own network is itself.
Inside, and only there, such questions are sent on to where slirp4netns answers for the machine's resolver.
(Containers are told that address directly.)
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from docker_tutor.engines.private.layout import Layout
from docker_tutor.engines.private.settings import SLIRP_DNS
from docker_tutor.errors import EngineStartFailed
from docker_tutor.i18n import _

__all__ = ["on_loopback", "send_on"]

RESOLV_CONF = Path("/etc/resolv.conf")
# An answer comes in with a loopback address as its destination, which the kernel drops elsewhere.
ROUTE_LOCALNET = "echo 1 >/proc/sys/net/ipv4/conf/tap0/route_localnet"


def on_loopback(text: str) -> list[str]:
    """Return the nameservers on loopback that the text of a `resolv.conf` names (`man 5 resolv.conf`)."""
    words = [line.split() for line in text.splitlines()]
    return [word[1] for word in words if len(word) > 1 and word[0] == "nameserver" and word[1].startswith("127.")]


def send_on(layout: Layout, environment: Mapping[str, str], nameservers: Sequence[str]) -> None:
    """Send questions to `nameservers` on, inside the engine's network. Raises `EngineStartFailed`."""
    if not nameservers:
        return
    commands = [["sh", "-c", ROUTE_LOCALNET]]
    nat = [str(layout.links / "iptables"), "--wait", "--table", "nat"]
    to = ["-j", "DNAT", "--to", SLIRP_DNS]
    for protocol in ("udp", "tcp"):
        asked = ["--protocol", protocol, "--dport", "53"]
        commands.append([*nat, "-A", "POSTROUTING", "-s", "127.0.0.0/8", "-d", SLIRP_DNS, *asked, "-j", "MASQUERADE"])
        commands += [[*nat, "-A", "OUTPUT", "-d", server, *asked, *to] for server in nameservers]
    for command in commands:
        done = subprocess.run(
            [*layout.enter, *command], capture_output=True, text=True, check=False, env=dict(environment)
        )
        if done.returncode:
            raise EngineStartFailed(_("The engine cannot be given a resolver: {said}").format(said=done.stderr.strip()))
