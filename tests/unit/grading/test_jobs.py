import base64
from pathlib import Path

import pytest

from docker_tutor.errors import SubmissionInvalid
from docker_tutor.grading.jobs import Job, Limits, collect
from docker_tutor.grading.tickets import Secret


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret.made(tmp_path / "secret.txt")


def hand_in(folder: Path, content: str = "{}") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lab1.ipynb").write_text(content, encoding="utf-8")


def test_submissions_are_found_in_nbgraders_folders_and_in_flat_ones(tmp_path: Path, secret: Secret) -> None:
    hand_in(tmp_path / "in" / "ada" / "lab1")
    hand_in(tmp_path / "in" / "blaise")
    assert [job.name for job in collect(tmp_path / "in", secret)] == ["ada-lab1", "blaise-lab1"]


def test_nothing_handed_in_is_said(tmp_path: Path, secret: Secret) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SubmissionInvalid):
        collect(tmp_path / "in", secret)


def test_the_key_is_the_folder_owners_whatever_ticket_was_handed_in(tmp_path: Path, secret: Secret) -> None:
    hand_in(tmp_path / "in" / "ada" / "lab1")
    (tmp_path / "in" / "ada" / "lab1" / "ticket.txt").write_text(f"{secret.ticket('eve')}\n", encoding="ascii")
    assert collect(tmp_path / "in", secret)[0].ticket == str(secret.ticket("ada"))


def test_a_job_holds_neither_the_secret_nor_anyone_elses_keys(tmp_path: Path, secret: Secret) -> None:
    hand_in(tmp_path / "in" / "ada" / "lab1")
    hand_in(tmp_path / "in" / "blaise" / "lab1")
    line = collect(tmp_path / "in", secret)[0].to_json()
    assert (tmp_path / "secret.txt").read_text(encoding="ascii").strip() not in line
    assert secret.ticket("blaise").key not in line
    assert secret.hidden("blaise", "lab1/limits") not in line


def test_a_job_is_read_as_it_was_written() -> None:
    job = Job("ada", 1, "ada.0123456789abcdef", {"limits": "k"}, {"lab1.ipynb": "e30="}, limits=Limits(1, 2))
    assert Job.from_json(job.to_json()) == job
    assert job.notebook == b"{}"


def test_another_notebook_has_another_digest(tmp_path: Path, secret: Secret) -> None:
    hand_in(tmp_path / "in" / "ada" / "lab1")
    before = collect(tmp_path / "in", secret)[0].digest
    assert collect(tmp_path / "in", secret)[0].digest == before
    hand_in(tmp_path / "in" / "ada" / "lab1", "{ }")
    assert collect(tmp_path / "in", secret)[0].digest != before


def test_files_are_laid_out_inside_their_folder_only(tmp_path: Path) -> None:
    content = base64.b64encode(b"x").decode()
    job = Job("ada", 1, "", {}, {"../outside": content, "sub/inside": content, "lab1.ipynb": content})
    (tmp_path / "work").mkdir()
    job.lay_out(tmp_path / "work")
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*")) if path.is_file()] == [
        "work/sub/inside"
    ]


def test_a_student_whose_folder_is_no_id_is_told_and_not_graded(tmp_path: Path, secret: Secret) -> None:
    hand_in(tmp_path / "in" / "a b" / "lab1")
    job = collect(tmp_path / "in", secret)[0]
    with pytest.raises(SubmissionInvalid):
        _ = job.notebook
