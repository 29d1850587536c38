"""What can go wrong between the mirror and the disk ends in one clear error, and leaves nothing half-done."""

import http.server
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docker_tutor.engines import programs
from docker_tutor.engines.packages import Archive, Mirror, mirrors, unpack
from docker_tutor.errors import DiskFull, DownloadFailed, SignatureInvalid

pytestmark = [pytest.mark.engine, pytest.mark.one_in(2)]

SMALL = ["busybox-static"]
Change = Callable[[str, bytes], bytes]


class Tampering(http.server.ThreadingHTTPServer):
    """Serves the machine's own mirror with `change` applied to every file (path, content)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.real = mirrors()
        self.mirror = Mirror(f"http://127.0.0.1:{self.server_port}", None, self.real.signed_by)
        self.change: Change = unchanged


class Handler(http.server.BaseHTTPRequestHandler):
    """Fetches what is asked for and changes it."""

    server: Tampering

    def do_GET(self) -> None:
        """Answer."""
        try:
            address = f"{self.server.real.uri.rstrip('/')}{self.path}"
            with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - the machine's own mirror
                content = answer.read()
        except urllib.error.HTTPError as error:
            self.send_error(error.code)
            return
        changed = self.server.change(self.path, content)
        self.send_response(200)
        # A package announces its true length, so that a shorter one is a connection that broke.
        self.send_header("Content-Length", str(len(content if self.path.endswith(".deb") else changed)))
        self.end_headers()
        self.wfile.write(changed)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def unchanged(_path: str, content: bytes) -> bytes:
    return content


@pytest.fixture(scope="module")
def server() -> Iterator[Tampering]:
    with Tampering() as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def indexed(server: Tampering, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read the server's indexes once, for all tests in which they are sound."""
    folder = tmp_path_factory.mktemp("indexed")
    Archive(folder=folder, mirror=server.mirror).closure(SMALL)
    return folder


@pytest.fixture
def archive(indexed: Path, server: Tampering, tmp_path: Path) -> Iterator[Archive]:
    """Give each test a copy with indexes and no packages."""
    folder = tmp_path / "archive"
    shutil.copytree(indexed, folder)
    yield Archive(folder=folder, mirror=server.mirror)
    server.change = unchanged


@pytest.fixture
def without_indexes(server: Tampering, tmp_path: Path) -> Iterator[Archive]:
    yield Archive(folder=tmp_path / "archive", mirror=server.mirror)
    server.change = unchanged


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 60 MiB: enough for the indexes, not for an engine."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def refuse(path: str, _content: bytes) -> bytes:
    pytest.fail(f"{path} was asked for")


def test_what_was_fetched_once_is_served_without_network(archive: Archive, server: Tampering) -> None:
    first = archive.fetch(SMALL)
    server.change = refuse
    assert archive.fetch(SMALL) == first
    assert [package.name for package in archive.closure(SMALL)] == SMALL


def test_an_index_that_was_changed_on_the_way_is_refused(without_indexes: Archive, server: Tampering) -> None:
    server.change = lambda path, content: content.replace(b"Debian", b"Debiam") if "Release" in path else content
    with pytest.raises(SignatureInvalid, match="not signed by the distribution"):
        without_indexes.fetch(SMALL)
    assert list(without_indexes.folder.glob("archives/*.deb")) == []


def test_an_index_without_a_signature_is_refused(without_indexes: Archive, server: Tampering) -> None:
    def strip(path: str, content: bytes) -> bytes:
        return b"" if path.endswith(".gpg") else content.partition(b"-----BEGIN PGP SIGNATURE")[0]

    server.change = strip
    with pytest.raises(SignatureInvalid):
        without_indexes.fetch(SMALL)


def test_a_truncated_package_is_refused_and_not_kept(archive: Archive, server: Tampering) -> None:
    server.change = lambda _path, content: content[: len(content) // 2]
    with pytest.raises(DownloadFailed):
        archive.fetch(SMALL)
    assert list(archive.folder.glob("archives/*.deb")) == []


def test_a_forged_package_is_refused_and_not_kept(archive: Archive, server: Tampering) -> None:
    server.change = lambda _path, content: content[:-1] + b"x"
    with pytest.raises(DownloadFailed):
        archive.fetch(SMALL)
    assert list(archive.folder.glob("archives/*.deb")) == []


def test_after_a_broken_download_the_next_one_succeeds(archive: Archive, server: Tampering) -> None:
    server.change = lambda _path, content: content[: len(content) // 2]
    with pytest.raises(DownloadFailed):
        archive.fetch(SMALL)
    server.change = unchanged
    assert archive.fetch(SMALL)[0].exists()


def test_a_mirror_that_does_not_answer_is_named(tmp_path: Path) -> None:
    nobody = Mirror("http://127.0.0.1:9", None, mirrors().signed_by)
    with pytest.raises(DownloadFailed, match="look at the network"):
        Archive(folder=tmp_path, mirror=nobody).fetch(SMALL)


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(archive: Archive) -> None:
    (deb,) = archive.fetch(SMALL)
    whole = deb.read_bytes()
    deb.write_bytes(whole[:-1])
    assert archive.fetch(SMALL) == [deb]
    assert deb.read_bytes() == whole


def test_a_disk_too_small_for_the_packages_is_said(small_disk: Path) -> None:
    with pytest.raises(DiskFull):
        Archive(folder=small_disk).fetch(programs.PACKAGES)


def test_a_disk_that_fills_up_while_unpacking_is_said(small_disk: Path) -> None:
    debs = Archive().fetch(programs.PACKAGES)
    with pytest.raises(DiskFull):
        unpack(debs, small_disk / "root")


def test_too_little_room_for_an_engine_leaves_no_half_of_one(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = Archive().folder  # asked before the cache is moved away
    (small_disk / "packages").mkdir()
    (small_disk / "packages" / packages.name).symlink_to(packages)
    monkeypatch.setattr(programs, "cache_folder", lambda: small_disk)
    monkeypatch.setattr(programs, "Archive", lambda suite: Archive(suite, folder=packages))
    with pytest.raises(DiskFull, match="make room"):
        programs.ensure()
    assert programs.found() is None
    assert [entry.name for entry in (small_disk / "engines").iterdir() if entry.is_dir()] == []
