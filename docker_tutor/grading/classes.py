"""A whole class: several submissions at once, each graded once, and what is finished kept.

A finished result lies as one JSON file in a folder beside the output. Whoever starts again after an interruption gets
it from there, as long as what was handed in is the same.
"""

import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from docker_tutor.errors import GradingError, SubmissionInvalid
from docker_tutor.grading.jobs import Job
from docker_tutor.grading.results import Result
from docker_tutor.grading.worker import Worker
from docker_tutor.i18n import _
from docker_tutor.progress import Report, Step, silent

__all__ = ["Finished", "grade_class", "grade_one", "kept"]

_RETRIES = 3


class Finished:
    """The results that are there, one file each, in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which is made for its owner alone."""
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, job: Job) -> Result | None:
        """Return the result of exactly this job; None when there is none."""
        try:
            text = self._path(job).read_text(encoding="utf-8")
            return Result.from_json(text, student=job.student, number=job.number, digest=job.digest)
        except (FileNotFoundError, SubmissionInvalid):
            return None  # none yet, or one of what was handed in before

    def put(self, job: Job, result: Result) -> None:
        """Keep a result; all of it or nothing is there afterwards."""
        path = self._path(job)
        path.with_suffix(".new").write_text(result.to_json() + "\n", encoding="utf-8")
        path.with_suffix(".new").replace(path)

    def forget(self) -> None:
        """Remove every result that is kept."""
        for path in self.folder.glob("*.json"):
            path.unlink()

    def _path(self, job: Job) -> Path:
        return self.folder / f"{job.name}.json"


def kept(folder: Path) -> list[Result]:
    """Return all results that lie in `folder`. Raises SubmissionInvalid when there is none, or one is damaged."""
    found = []
    for path in sorted(folder.glob("*-lab[0-9].json")):
        student, _dash, lab = path.stem.rpartition("-lab")
        found.append(Result.from_json(path.read_text(encoding="utf-8"), student=student, number=int(lab)))
    if not found:
        raise SubmissionInvalid(_("There are no results in {folder}.").format(folder=folder))
    return found


def grade_class(
    jobs: Sequence[Job],
    finished: Finished,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    report: Report = silent,
) -> list[Result]:
    """Grade what is not finished yet and return all results, in the order of `jobs`.

    With `workers` processes on this machine, or on whatever workers a dask `scheduler` has. Raises GradingError when
    there is no place to grade in; what was finished by then is kept.
    """
    results = {job.name: known for job in jobs if (known := finished.get(job))}
    todo = [job for job in jobs if job.name not in results]
    task = _("Grading")
    report(Step(task, len(results), len(jobs), "submissions"))
    graded = _on_scheduler(todo, scheduler) if scheduler else _here(todo, workers)
    with closing(graded):
        for job, result in graded:
            finished.put(job, result)
            results[job.name] = result
            report(Step(task, len(results), len(jobs), "submissions"))
    return [results[job.name] for job in jobs]


def grade_one(job_line: str) -> str:
    """Grade one job in a process of its own and return the result as a line: what a dask worker does."""
    with closing(Worker()) as worker:
        return worker.grade(Job.from_json(job_line)).to_json()


def _here(jobs: Sequence[Job], workers: int) -> Generator[tuple[Job, Result], None, None]:
    """Grade on this machine. Each thread has a worker process of its own and takes the next job when it is free."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    stop = threading.Event()
    crew = [Worker() for _number in range(max(1, min(workers, len(jobs))))]
    for worker in crew:
        idle.put(worker)

    def graded(job: Job) -> Result | None:
        if stop.is_set():
            return None
        worker = idle.get()
        try:
            return worker.grade(job)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(crew)) as pool:
        futures = {pool.submit(graded, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                result = future.result()
                if result is not None:
                    yield futures[future], result
        finally:
            stop.set()
            for future in futures:
                future.cancel()
            for worker in crew:
                worker.close()


def _on_scheduler(jobs: Sequence[Job], address: str) -> Generator[tuple[Job, Result], None, None]:
    """Grade on the workers of a dask scheduler: a lost worker's job is given to another, its result taken once."""
    try:
        import distributed
    except ImportError as absent:
        raise GradingError(_("Other machines need `distributed`: install docker-tutor[grading].")) from absent
    dask: Any = distributed  # it is typed in part only
    with dask.Client(address) as client:
        futures = {
            client.submit(grade_one, job.to_json(), key=f"{job.name}-{job.digest}", retries=_RETRIES, pure=True): job
            for job in jobs
        }
        for future in dask.as_completed(list(futures)):
            job = futures[future]
            yield job, Result.from_json(future.result(), student=job.student, number=job.number, digest=job.digest)
