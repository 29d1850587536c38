"""What goes wrong before a student's code has run is the place's failure, never a submission without points."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from requests.exceptions import ReadTimeout

from docker_tutor.errors import SeatFailed
from docker_tutor.grading.grader import grade
from docker_tutor.grading.jobs import Job
from docker_tutor.grading.seats import Seat
from docker_tutor.grading.tickets import PRACTICE, Ticket

EMPTY = "eyJjZWxscyI6IFtdLCAibWV0YWRhdGEiOiB7fSwgIm5iZm9ybWF0IjogNCwgIm5iZm9ybWF0X21pbm9yIjogNX0="


class Slow:
    isolates = False
    isolation = ""

    @contextmanager
    def seat(self, ticket: Ticket, images: Sequence[str], files: Path | None = None) -> Iterator[Seat]:
        raise ReadTimeout("an image took too long")
        yield

    def close(self) -> None:
        pass


def test_a_place_that_cannot_be_had_gives_nobody_a_zero() -> None:
    job = Job(PRACTICE.student, 1, str(PRACTICE), {}, {"lab1.ipynb": EMPTY})
    with pytest.raises(SeatFailed, match="took too long"):
        grade(job, Slow())
