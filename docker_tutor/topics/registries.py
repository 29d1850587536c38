"""What a build needs in order to fetch packages as this machine does: its certificate authorities, as a secret.

A machine behind an inspecting proxy trusts one authority more than others do. A build that fetches something has to
trust it too, and the image that comes out must not: so it is mounted as a build secret, never copied.
"""

import os
import ssl
from pathlib import Path

from docker_tutor.classroom.room import Room

__all__ = ["authorities"]


def authorities(room: Room, name: str = "ca.pem") -> Path:
    """Write the certificate authorities that this machine trusts into the room's folder; return the file.

    From `$SSL_CERT_FILE`, or where OpenSSL looks for them; empty where neither is a file, which does no harm.
    """
    found = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    trusted = Path(found).read_bytes() if found and Path(found).is_file() else b""
    target = room.folder / name
    target.write_bytes(trusted)
    return target
