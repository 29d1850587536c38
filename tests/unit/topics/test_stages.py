"""What is computed from the files of two images and from a build's times, without an engine."""

from docker_tutor.topics.builds_trace import Step, Trace
from docker_tutor.topics.stage_graph import read
from docker_tutor.topics.stages import Comparison, Contents, Parallel

SINGLE = {"usr/local/go/bin/go": 800, "root/.cache/go-build/1": 150, "app/server": 40, "app/main.go": 6, "bin/sh": 4}
MULTI = {"server": 40, "bin/sh": 4}
COMPARED = Comparison(Contents("single", SINGLE), Contents("multi", MULTI))


def sleep(stage: str, start_s: float, end_s: float, state: str = "ran") -> Step:
    return Step("", "step", stage, 2, "RUN sleep 3", stage, (), start_s, end_s, state)  # type: ignore[arg-type]


def parallel(*steps: Step) -> Parallel:
    return Parallel(3.0, read("FROM a AS x"), Trace(steps, 10.0, 0))


def test_every_file_belongs_to_one_part() -> None:
    parts = COMPARED.single.parts()
    assert list(parts.values()) == [800, 150, 0, 46, 4]
    assert sum(parts.values()) == COMPARED.single.size_bytes


def test_saved_is_the_fraction_that_is_gone() -> None:
    assert COMPARED.saved == 1 - 44 / 1000


def test_left_out_are_the_folders_of_what_the_second_image_lacks() -> None:
    assert list(COMPARED.left_out()["folder"]) == ["/usr/local/go", "~/.cache/go-build", "/app"]
    assert list(COMPARED.left_out(top=1)["part"]) == ["compiler and its library"]


def test_two_sleeps_at_once_overlap() -> None:
    both = parallel(sleep("x", 1.0, 4.0), sleep("y", 1.5, 4.5))
    assert (both.wall_s, both.overlap_s) == (3.5, 2.5)


def test_one_after_the_other_do_not_and_a_cached_one_does_not_count() -> None:
    assert parallel(sleep("x", 1.0, 4.0), sleep("y", 4.0, 7.0)).overlap_s == 0
    assert parallel(sleep("x", 1.0, 4.0), sleep("y", 1.0, 1.0, "cached")).overlap_s == 0
