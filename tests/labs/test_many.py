"""A class is graded by several at once, here and through a dask scheduler: each submission once, whatever is lost."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from waiting import until

from docker_tutor import paths
from docker_tutor.engines.base import Engine
from docker_tutor.grading.answers import answers
from docker_tutor.grading.classes import Finished, grade_class
from docker_tutor.grading.jobs import Job, Limits
from docker_tutor.grading.tasks import lab
from docker_tutor.grading.tickets import Secret
from docker_tutor.progress import Step

LAB = lab(2)
TASK = LAB["created"]
WITHIN_S = 120


def job(secret: Secret, student: str, before: str = "") -> Job:
    me = LAB.values(TASK, secret.ticket(student))
    cells = [before, me.fill(answers(LAB, TASK.name)[0].cell)]
    notebook = str(nbformat.writes(new_notebook(cells=[new_code_cell(source) for source in cells if source])))
    files = {"lab2.ipynb": base64.b64encode(notebook.encode()).decode()}
    hidden = {task.name: secret.hidden(student, f"lab2/{task.name}") for task in LAB.tasks}
    return Job(student, 2, str(secret.ticket(student)), hidden, files, limits=Limits(60, 120))


@pytest.mark.one_in(3)
def test_two_workers_grade_each_submission_once_and_the_finished_are_kept(
    engine: Engine, secret: Secret, tmp_path: Path
) -> None:
    jobs = [job(secret, student) for student in ("ada", "blaise", "charles")]
    results = grade_class(jobs, Finished(tmp_path), workers=2)
    assert [result.student for result in results] == ["ada", "blaise", "charles"]
    assert {result.outcomes[0].points for result in results} == {TASK.points}
    seen: list[Step] = []
    again = grade_class(jobs, Finished(tmp_path), report=seen.append)
    assert again == results
    assert [(step.done, step.total) for step in seen] == [(3, 3)]  # nothing was graded


@pytest.mark.one_in(3)
def test_after_an_interruption_only_the_rest_is_graded(engine: Engine, secret: Secret, tmp_path: Path) -> None:
    jobs = [job(secret, student) for student in ("ada", "blaise")]

    def interrupted(step: Step) -> None:
        if step.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_class(jobs, Finished(tmp_path), report=interrupted)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    assert len(kept) == 1
    assert len(grade_class(jobs, Finished(tmp_path))) == 2
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json") if path.name in kept} == kept


@contextlib.contextmanager
def dask(*words: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]) as process:
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def grading(worker: int) -> bool:
    """Return whether a dask worker has a process that grades, with a student's kernel below it."""
    for child in psutil.Process(worker).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may end while it is looked at
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                return True
    return False


@pytest.mark.one_in(3)
def test_a_grader_whose_owner_was_killed_breaks_off_and_takes_its_engine_down(engine: Engine, secret: Secret) -> None:
    seats = paths.runtime_folder().glob
    before = set(seats("spare-seat-*"))
    asks = "import sys; from docker_tutor.grading.classes import grade_one; grade_one(sys.stdin.read())"
    with subprocess.Popen([sys.executable, "-c", asks], stdin=subprocess.PIPE, text=True) as owner:
        assert owner.stdin is not None
        owner.stdin.write(job(secret, "ada", "import time; time.sleep(50)").to_json())
        owner.stdin.close()
        assert until(lambda: grading(owner.pid), WITHIN_S)  # the kernel tells nobody but its grader that it runs
        (grader,) = psutil.Process(owner.pid).children()
        owner.kill()
    grader.wait(40)
    assert set(seats("spare-seat-*")) <= before


@pytest.mark.filterwarnings("default")
@pytest.mark.one_in(3)
def test_what_a_lost_worker_was_grading_is_graded_by_another(engine: Engine, secret: Secret, tmp_path: Path) -> None:
    address = tmp_path / "scheduler.json"
    slow = "import time; time.sleep(3)"
    jobs = [job(secret, student, slow) for student in ("ada", "blaise")]
    with contextlib.ExitStack() as running:
        running.enter_context(dask("dask_scheduler", "--port", "0", "--scheduler-file", str(address), "--no-dashboard"))
        alone = ("dask_worker", "--scheduler-file", str(address), "--nthreads", "1", "--no-nanny", "--no-dashboard")
        workers = [running.enter_context(dask(*alone)) for _number in range(2)]
        lost = threading.Event()

        def lose_one() -> None:
            until = time.monotonic() + WITHIN_S
            while time.monotonic() < until and not lost.wait(0.2):
                for worker in workers:
                    with contextlib.suppress(psutil.Error):
                        if grading(worker.pid):
                            os.kill(worker.pid, signal.SIGKILL)
                            lost.set()
                            return

        thief = threading.Thread(target=lose_one)
        thief.start()
        results = grade_class(jobs, Finished(tmp_path / "kept"), scheduler=str(_address(address)))
        thief.join()
    assert lost.is_set()
    assert [result.student for result in results] == ["ada", "blaise"]
    assert {result.outcomes[0].points for result in results} == {TASK.points}
    assert len(list((tmp_path / "kept").glob("*.json"))) == 2


def _address(file: Path) -> str:
    def told() -> str:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads(file.read_text(encoding="utf-8"))["address"])
        return ""  # it is not written yet, or not to its end

    assert until(told, WITHIN_S)
    return told()
