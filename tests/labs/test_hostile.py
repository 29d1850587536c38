"""A hostile notebook loses its own points and nothing else: not the host's files, not the next one's grade.

In a quick suite the isolated mode has to bear one of them and the trusted one some, others every day.
"""

import base64
import contextlib
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from docker_tutor import paths
from docker_tutor.engines.base import Engine
from docker_tutor.grading.answers import answers
from docker_tutor.grading.grader import grade
from docker_tutor.grading.jobs import Job, Limits
from docker_tutor.grading.results import Result
from docker_tutor.grading.seats import Place, place
from docker_tutor.grading.site import PROBE
from docker_tutor.grading.tasks import lab
from docker_tutor.grading.tickets import Secret, Ticket

# A guest under attack resets connections. Python 3.11's `ssl` leaves the socket of one that was reset before its
# handshake to the garbage collector: such a socket has no peer's address, others are told of as ever.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:unclosed <ssl\.SSLSocket .*laddr=\('127\.0\.0\.1', \d+\)>:ResourceWarning"
)

HOSTILE = tomllib.loads((paths.checkout() / "labs" / "hostile.toml").read_text(encoding="utf-8"))["hostile"]
LAB = lab(1)
EASY = LAB["apart"]


def named(each: dict[str, Any]) -> str:
    return str(each["name"])


def job(secret: Secret, student: str, mode: str, source: str, cell_s: float = 15) -> Job:
    notebook = new_notebook(cells=[new_code_cell(source)])
    files = {"lab1.ipynb": base64.b64encode(str(nbformat.writes(notebook)).encode()).decode()}
    hidden = {task.name: secret.hidden(student, f"lab1/{task.name}") for task in LAB.tasks}
    return Job(student, 1, str(secret.ticket(student)), hidden, files, mode, Limits(cell_s, submission_s=40))


def honest(secret: Secret, place_of: Place, mode: str) -> Result:
    me = LAB.values(EASY, secret.ticket("ada"))
    return grade(job(secret, "ada", mode, me.fill(answers(LAB, "apart")[0].cell)), place_of)


@pytest.fixture(scope="module")
def machines(engine: Engine) -> Iterator[Place]:
    found = place("vm")
    yield found
    found.close()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "gradebook.db"
    path.write_text("ada 21", encoding="utf-8")
    ours = {file: file.read_bytes() for file in (paths.checkout() / "docker_tutor" / "grading").rglob("*.py")}
    yield path
    assert path.read_text(encoding="utf-8") == "ada 21"
    assert ours == {file: file.read_bytes() for file in ours}


def students() -> Iterator[psutil.Process]:
    """Yield what runs of student code that was given a daemon of this instance, and the machines in which it runs."""
    own = f"{paths.runtime_folder()}/"  # another lane's begins alike
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            in_a_seat = "DOCKER_TUTOR_SEAT" in environment and own in environment["DOCKER_HOST"]
            if in_a_seat or f"{own}vmseat-" in " ".join(process.cmdline()):
                yield process


def tried(each: dict[str, Any], secret: Secret, where: Place, mode: str, canary: Path, secret_file: Path) -> Result:
    cell = each["cell"].replace("«canary»", str(canary)).replace("«secret»", str(secret_file)).strip()
    before = {process.pid for process in students()}
    result = grade(job(secret, "eve", mode, cell, each.get("cell_s", 15)), where)
    assert secret_file.read_text(encoding="ascii").strip() not in result.to_json()
    assert [process for process in students() if process.pid not in before] == []
    return result


@pytest.mark.one_in(2)
@pytest.mark.parametrize("each", [each for each in HOSTILE if each["trusted"]], ids=named)
def test_the_trusted_mode_bears(each: dict[str, Any], trusted: Place, canary: Path, tmp_path: Path) -> None:
    secret = Secret.made(tmp_path / "secret.txt")
    assert tried(each, secret, trusted, "trusted", canary, tmp_path / "secret.txt").points == 0


def test_after_those_an_honest_answer_has_its_points_trusted(trusted: Place, secret: Secret) -> None:
    assert honest(secret, trusted, "trusted").outcomes[3].points == EASY.points


@pytest.mark.one_in(len(HOSTILE))
@pytest.mark.parametrize("each", HOSTILE, ids=named)
def test_the_isolated_mode_bears(each: dict[str, Any], machines: Place, canary: Path, tmp_path: Path) -> None:
    secret = Secret.made(tmp_path / "secret.txt")
    result = tried(each, secret, machines, "vm", canary, tmp_path / "secret.txt")
    assert result.points == 0, result.to_json()
    assert json.loads(result.to_json())["student"] == "eve"


def test_in_there_is_no_network_and_a_check_reads_no_file_of_this_machine(
    machines: Place, canary: Path, ticket: Ticket
) -> None:
    compose = f"services: {{web: {{image: {PROBE}, env_file: {canary}}}}}"
    asks = f"%%bash\ndocker run --rm {PROBE} wget -T 3 -O - http://192.0.2.1/ 2>&1"
    links = f"""
import os, pathlib
os.symlink({str(canary)!r}, "away")
os.symlink({str(canary.parent)!r}, "out")
print(pathlib.Path("compose.yaml").write_text({compose!r}), os.uname().release)
"""
    with machines.seat(ticket, []) as seat:
        refused, made = (seat.run(cell, within_s=60) for cell in (asks, links))
        site = seat.site()
        assert "unreachable" in refused.text
        assert made.status == "ok"
        assert os.uname().release not in made.text  # another kernel's
        assert "not found" in site.docker("compose", "config").text
        assert site.read("away") is site.read(f"out/{canary.name}") is None
        for path in ("away", f"out/{canary.name}"):
            with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
                site.write(path, "evil")


def test_after_all_of_them_an_honest_answer_has_its_points_isolated(machines: Place, secret: Secret) -> None:
    assert honest(secret, machines, "vm").outcomes[3].points == EASY.points
