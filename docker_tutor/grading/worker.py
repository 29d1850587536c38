"""A process that grades, one submission after the other: jobs come in as lines, results go out as lines.

It is a process so that it can be ended: `Worker.grade` gives up on one that does not answer in time, ends it with all
that it has started, and the next submission gets a new one. Its standard output carries results and nothing else; what
anything in it prints goes to standard error.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue

import psutil

from docker_tutor.engines.spare import remove_abandoned
from docker_tutor.errors import DockerTutorError, SeatFailed
from docker_tutor.grading import isolated
from docker_tutor.grading.grader import grade
from docker_tutor.grading.jobs import Job
from docker_tutor.grading.results import Result
from docker_tutor.grading.seats import Place, place
from docker_tutor.i18n import _
from docker_tutor.paths import runtime_folder

__all__ = ["Worker", "main"]

_GRACE_S = 180
"""What a submission gets beside its own time: an engine to start, images to load, checks to be made."""


class Worker:
    """The other end: a process that grades, started when it is first needed."""

    def __init__(self, grace_s: float = _GRACE_S) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[str] | None = None
        self._grace_s = grace_s

    def grade(self, job: Job) -> Result:
        """Grade one submission, within its time and some grace. Raises SeatFailed when there is no place for it."""
        process = self._started()
        began = time.monotonic()
        try:
            line = _answer(process, job.to_json(), job.limits.submission_s + self._grace_s)
        except (OSError, TimeoutError) as error:
            self.close()
            note = _("It could not be ended in time, or ended the process that grades: {error}").format(error=error)
            seconds = time.monotonic() - began
            return Result.nothing(
                job.student, job.number, note, mode=job.mode, digest=job.digest, seconds=round(seconds, 2)
            )
        answer = json.loads(line)
        if "failed" in answer:
            self.close()
            raise SeatFailed(str(answer["failed"]))
        return Result.from_json(answer["result"], student=job.student, number=job.number, digest=job.digest)

    def close(self) -> None:
        """End the process with everything that it has started. May be called again."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None and process.poll() is None:
            try:
                process.stdin.close()
                process.wait(timeout=20)  # it takes its engine down
            except (OSError, subprocess.TimeoutExpired):
                _end(process)
        for stream in (process.stdin, process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        process.wait()
        remove_abandoned()
        isolated.remove_abandoned()

    def _started(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            log = (runtime_folder() / "grading.log").open("a", encoding="utf-8")
            with log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "docker_tutor.grading.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,
                )
        return self._process


def _answer(process: "subprocess.Popen[str]", line: str, within_s: float) -> str:
    if process.stdin is None or process.stdout is None:
        raise OSError(_("no way to talk to it"))
    process.stdin.write(line + "\n")
    process.stdin.flush()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(timeout=within_s):
            raise TimeoutError(_("no answer within {seconds:g} s").format(seconds=within_s))
    answer = process.stdout.readline()
    if not answer:
        raise OSError(_("it is gone"))
    return answer


def _end(process: "subprocess.Popen[str]") -> None:
    """Kill a worker and what it started. Its engine stays for `remove_abandoned`, which knows how to take one down."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    for each in family:
        try:
            if "docker-tutor-seat-" in each.cwd():
                each.kill()
        except psutil.Error:
            continue  # it went by itself


class _Inbox:
    """The lines that come in. When there will be no more, what is being graded is broken off: nobody waits for it."""

    def __init__(self) -> None:
        """Begin to listen."""
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._turn = threading.Lock()
        self._busy = False
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background lets it be ignored
        threading.Thread(target=self._listen, daemon=True).start()

    def __iter__(self) -> Iterator[str]:
        """Yield each line; raises KeyboardInterrupt in whoever is busy with one when the other end is gone."""
        while (line := self._lines.get()) is not None:
            with self._turn:
                self._busy = True
            yield line
            with self._turn:
                self._busy = False

    def _listen(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put(None)
        with self._turn:
            if self._busy:
                os.kill(os.getpid(), signal.SIGINT)


def main() -> int:
    """Grade what comes in on standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints from now on does not write among the answers
    places: dict[str, Place] = {}
    try:
        for line in _Inbox():
            job = Job.from_json(line)
            try:
                if job.mode not in places:
                    places[job.mode] = place(job.mode)
                answer = {"result": grade(job, places[job.mode]).to_json()}
            except DockerTutorError as error:
                answer = {"failed": str(error)}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        return 1  # whoever asked is gone, or has given up waiting
    finally:
        for each in places.values():
            each.close()
        answers.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
