"""Debian packages without installing anything: fetched with signatures checked, unpacked into a folder.

::

    from docker_tutor.engines.packages import Archive, unpack

    archive = Archive("trixie")                      # or Archive(): DOCKER_TUTOR_SUITE, else trixie
    packages = archive.closure(["busybox-static"])   # what is needed: name, version, file, size_bytes, sha256
    debs = archive.fetch(["busybox-static"], report) # the verified .deb files, dependencies included
    unpack(debs, Path("…/root"), report)             # `dpkg-deb --extract`, no maintainer script is run

Names may be anything that `apt-get install` takes without the system: `name`, `name=version`, or a
pattern as `?essential`. What was fetched once is served from the user's cache without network.
Errors: `DownloadFailed`, `SignatureInvalid`, `DiskFull` (all `PackageError`).
"""

from docker_tutor.engines.packages.archive import Archive, Package
from docker_tutor.engines.packages.sources import Mirror, mirrors
from docker_tutor.engines.packages.unpacking import unpack

__all__ = ["Archive", "Mirror", "Package", "mirrors", "unpack"]
