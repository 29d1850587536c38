from pathlib import Path

import pytest

from docker_tutor.errors import TicketInvalid
from docker_tutor.grading.tickets import SECRET_VARIABLE, Secret, Ticket


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret.made(tmp_path / "secret.txt")


def test_a_ticket_is_the_same_every_time_and_another_for_every_student(secret: Secret) -> None:
    assert secret.ticket("ada") == secret.ticket("ada")
    assert secret.ticket("ada").key != secret.ticket("blaise").key


def test_a_ticket_is_read_as_it_was_written(secret: Secret) -> None:
    assert Ticket.parse(f"{secret.ticket('ada')}\n") == secret.ticket("ada")


@pytest.mark.parametrize("text", ["", "ada", "ada.xyz", "../x.0123456789abcdef", ".0123456789abcdef"])
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(TicketInvalid):
        Ticket.parse(text)


@pytest.mark.parametrize("student", ["", "..", "a/b", "a b", "x" * 65])
def test_a_folder_that_cannot_be_a_student_gets_no_ticket(student: str, secret: Secret) -> None:
    with pytest.raises(TicketInvalid):
        secret.ticket(student)


def test_two_courses_give_one_student_different_keys(tmp_path: Path) -> None:
    one, other = (Secret.made(tmp_path / name) for name in ("one", "other"))
    assert one.ticket("ada").key != other.ticket("ada").key
    assert one.hidden("ada", "lab1/limits") != other.hidden("ada", "lab1/limits")


def test_a_ticket_does_not_tell_the_key_of_hidden_checks(secret: Secret) -> None:
    hidden = {secret.hidden("ada", task) for task in ("lab1/limits", "lab1/apart")}
    assert len(hidden) == 2
    assert secret.ticket("ada").key not in hidden


def test_a_secret_is_made_once_for_its_owner_alone_and_shown_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "class" / "secret.txt"
    ticket = Secret.made(path).ticket("ada")
    assert path.stat().st_mode & 0o077 == 0
    assert Secret.made(path).ticket("ada") == ticket
    assert path.read_text(encoding="ascii").strip() not in repr(Secret.read(path))


def test_a_secret_that_is_too_short_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("secret", encoding="ascii")
    for name in ("short", "missing"):
        with pytest.raises(TicketInvalid):
            Secret.read(tmp_path / name)


def test_the_secret_is_known_only_where_the_variable_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert Secret.known() is None
    made = Secret.made(tmp_path / "secret.txt")
    monkeypatch.setenv(SECRET_VARIABLE, str(tmp_path / "secret.txt"))
    assert Secret.known() == made


def test_a_ticket_is_found_beside_the_notebook_or_one_folder_above(tmp_path: Path, secret: Secret) -> None:
    (tmp_path / "lab1").mkdir()
    assert Ticket.read(tmp_path / "lab1") is None
    (tmp_path / "ticket.txt").write_text(f"{secret.ticket('ada')}\n", encoding="ascii")
    assert Ticket.read(tmp_path / "lab1") == secret.ticket("ada")
