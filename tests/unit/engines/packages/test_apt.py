"""What apt says becomes the right exception, and its configuration holds what it must."""

from pathlib import Path

import pytest

from docker_tutor.engines.packages import apt as module
from docker_tutor.engines.packages.apt import Apt, failure
from docker_tutor.engines.packages.sources import Mirror
from docker_tutor.errors import DiskFull, DownloadFailed, EngineNotFound, SignatureInvalid

MIRROR = Mirror("http://mirror.example/debian", "http://security.example/debian-security", "/keys.gpg")
MACHINE = """\
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/own.pem";
Acquire::AllowInsecureRepositories "1";
Acquire::Languages:: "de";
APT::Update::Post-Invoke:: "rm -rf /";
Dir::Bin::methods "/elsewhere/methods";
"""


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("E: Failed to fetch http://m/x.deb  Connection failed [IP: 192.0.2.1 80]", DownloadFailed),
        ("E: Failed to fetch http://m/x.deb  Hash Sum mismatch", DownloadFailed),
        ("E: Failed to fetch http://m/x.deb  404  Not Found", DownloadFailed),
        ("W: GPG error: http://m trixie InRelease: signatures couldn't be verified: NO_PUBKEY 12", SignatureInvalid),
        ("E: The repository 'http://m trixie InRelease' is not signed.", SignatureInvalid),
        ("W: OpenPGP signature verification failed: http://m: Sub-process /usr/bin/sqv returned 1", SignatureInvalid),
        ("E: Write error - write (28: No space left on device)", DiskFull),
        ("E: You don't have enough free space in /cache/archives/.", DiskFull),
    ],
)
def test_what_apt_says_names_the_error(said: str, error: type[Exception]) -> None:
    found = failure(said)
    assert type(found) is error
    assert said in str(found)


def test_the_machines_way_to_the_network_is_kept_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_dump", lambda: MACHINE)
    Apt(tmp_path, "trixie", MIRROR).configure()
    configuration = (tmp_path / "apt.conf").read_text(encoding="utf-8")
    assert 'Acquire::http::Proxy "http://proxy.example:3128";' in configuration
    assert 'Acquire::https::CAInfo "/etc/ssl/own.pem";' in configuration
    assert 'Dir::Bin::methods "/elsewhere/methods";' in configuration
    for left_out in ("Post-Invoke", "AllowInsecure", '"de"'):
        assert left_out not in configuration


def test_a_proxys_password_is_readable_by_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_dump", lambda: MACHINE)
    Apt(tmp_path, "trixie", MIRROR).configure()
    assert (tmp_path / "apt.conf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("suite", "suites"),
    [
        ("trixie", ["trixie trixie-updates", "trixie-security"]),
        ("testing", ["testing testing-updates", "testing-security"]),
        ("sid", ["sid"]),
    ],
)
def test_a_suite_comes_with_its_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str, suites: list[str]
) -> None:
    apt = Apt(tmp_path, suite, MIRROR)
    monkeypatch.setattr(apt, "run", lambda *_: "")
    monkeypatch.setattr(module, "_dump", lambda: MACHINE)
    apt.configure()
    apt.update()
    lines = (tmp_path / "etc/sources.list.d/debian.sources").read_text(encoding="utf-8").splitlines()
    assert [line.removeprefix("Suites: ") for line in lines if line.startswith("Suites:")] == suites


def test_testing_does_without_a_security_suite_and_stable_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_dump", lambda: MACHINE)

    def run(self: Apt, *_: object) -> str:
        if "security" in (self.folder / "etc/sources.list.d/debian.sources").read_text(encoding="utf-8"):
            raise DownloadFailed("404 ")
        return ""

    monkeypatch.setattr(Apt, "run", run)
    for suite in ("testing", "trixie"):
        apt = Apt(tmp_path / suite, suite, MIRROR)
        apt.configure()
        if suite == "testing":
            apt.update()
        else:
            with pytest.raises(DownloadFailed):
                apt.update()


def test_a_machine_without_apt_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineNotFound, match="apt-get"):
        Apt(tmp_path, "trixie", MIRROR).configure()
