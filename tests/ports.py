"""Ports of this machine, and who answers at them."""

import socket

__all__ = ["echoed", "free_port"]

ANSWERS_WITHIN_S = 5


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket(type=kind) as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def echoed(port: int, data: bytes, within_s: float = ANSWERS_WITHIN_S) -> bool:
    """Send one datagram to a port of 127.0.0.1; return whether it came back."""
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(within_s)
        client.sendto(data, ("127.0.0.1", port))
        try:
            return client.recv(len(data) + 1) == data
        except TimeoutError:
            return False  # nobody listens yet
