"""The machine's own mirror is found in either form of its sources, and third parties are not."""

from pathlib import Path

import pytest

from docker_tutor.engines.packages.sources import DEFAULT_KEYRING, Mirror, mirrors
from docker_tutor.errors import DownloadFailed

DEB822 = """\
Types: deb
# http://commented.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
THIRD_PARTIES = """\
deb https://third.example/apt cloud-sdk-bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/third.gpg] https://third.example/linux/debian bookworm stable
deb [signed-by=/usr/share/keyrings/third.gpg] https://third.example/debian bookworm main
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_TUTOR_MIRROR", "DOCKER_TUTOR_SECURITY_MIRROR"):
        monkeypatch.delenv(name, raising=False)


def write(etc: Path, name: str, text: str) -> None:
    (etc / name).write_text(text, encoding="utf-8")


def test_deb822_uris_are_read_and_comments_are_not(etc: Path) -> None:
    write(etc, "sources.list.d/debian.sources", DEB822)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert mirrors(etc) == Mirror("http://mirror.example/debian", "http://security.example/debian-security", keyring)


def test_one_line_entries_are_read_with_their_options(etc: Path) -> None:
    write(
        etc,
        "sources.list",
        "# deb http://commented.example/debian bookworm main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
        "deb [ arch=amd64 ] http://one.example/debian/ bookworm main contrib # ours\n"
        "deb http://security.example/debian-security bookworm-security main\n",
    )
    expected = Mirror("http://one.example/debian/", "http://security.example/debian-security", str(DEFAULT_KEYRING))
    assert mirrors(etc) == expected


def test_third_parties_are_left_out(etc: Path) -> None:
    write(etc, "sources.list", THIRD_PARTIES)
    write(etc, "sources.list.d/debian.sources", DEB822)
    assert mirrors(etc).uri == "http://mirror.example/debian"


def test_a_third_party_that_names_its_suite_like_the_distribution_comes_second(etc: Path) -> None:
    write(etc, "sources.list", "deb https://third.example/prod bookworm main\n")
    write(etc, "sources.list.d/debian.sources", DEB822)
    assert mirrors(etc).uri == "http://mirror.example/debian"


def test_a_disabled_paragraph_is_left_out(etc: Path) -> None:
    write(etc, "sources.list.d/debian.sources", "Enabled: no\n" + DEB822)
    with pytest.raises(DownloadFailed, match="DOCKER_TUTOR_MIRROR"):
        mirrors(etc)


def test_a_key_within_the_paragraph_is_kept_whole(etc: Path) -> None:
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = DEB822.replace(" /usr/share/keyrings/debian-archive-keyring.gpg", key, 1)
    write(etc, "sources.list.d/debian.sources", text)
    assert mirrors(etc).signed_by.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc")


def test_a_mirror_without_security_updates_has_none(etc: Path) -> None:
    write(etc, "sources.list", "deb http://one.example/debian bookworm main\n")
    assert mirrors(etc).security_uri is None


def test_the_setting_goes_before_the_sources(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_MIRROR", "http://chosen.example/debian")
    write(etc, "sources.list.d/debian.sources", DEB822)
    assert mirrors(etc).uri == "http://chosen.example/debian"


def test_a_relative_of_debian_is_told_where_debians_security_updates_are(
    etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TUTOR_MIRROR", "http://chosen.example/debian")
    write(etc, "sources.list", "deb http://one.example/ubuntu noble main\n")
    assert mirrors(etc).security_uri is None
    monkeypatch.setenv("DOCKER_TUTOR_SECURITY_MIRROR", "http://chosen.example/debian-security")
    assert mirrors(etc).security_uri == "http://chosen.example/debian-security"


def test_a_machine_that_names_no_debian_is_told_what_to_set(etc: Path) -> None:
    write(etc, "sources.list", THIRD_PARTIES)
    with pytest.raises(DownloadFailed, match="DOCKER_TUTOR_MIRROR"):
        mirrors(etc)
