"""The pictures of chapter 2: drawn from plain results, each with a sentence to read aloud and a table."""

from collections.abc import Callable

import pytest

from docker_tutor.plots import life_of_a_run, process_chain, runtime_comparison, sequence
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.conversation import Conversation, Exchange
from docker_tutor.topics.life import Life, Span
from docker_tutor.topics.processes import Chain, Process
from docker_tutor.topics.runtimes import Comparison, Tried

TALK = Conversation(
    "docker run x",
    (
        Exchange("POST", "/containers/create", 201, 0.02, 0.03, upgraded=False),
        Exchange("POST", "/containers/{id}/attach", 101, 0.05, 0.4, upgraded=True),
        Exchange("POST", "/containers/{id}/start", 500, 0.05, 0.01, upgraded=False),
    ),
    "",
)
ROLES = ("dockerd", "containerd", "shim", "container")
CHAIN = Chain(tuple(Process(role, 10 + place, 1, role) for place, role in enumerate(ROLES)), ())
WITHOUT_DAEMONS = Chain(CHAIN.processes[2:], (99,))
LIFE = Life(
    "docker run x",
    (
        Span("docker", 0, 900_000, "docker run"),
        Span("HTTP", 100_000, 150_000, "POST /containers/create"),
        Span("containerd", 200_000, None, "/tasks/start"),
        Span("runc", 200_000, 300_000, "runc create"),
        Span("runc", 800_000, 810_000, "runc delete"),
        Span("program", 310_000, 790_000, "sleep 0.2"),
    ),
)
COMPARED = Comparison(
    (
        Tried("runc", runs=True, reason="", start_s=0.4, kernel="Linux 6", call_us=0.4, outside="sleep"),
        Tried("runsc", runs=True, reason="", start_s=0.8, kernel="Linux 4.4.0", call_us=40, outside="runsc-sandbox"),
        Tried("kata", runs=False, reason="there is no shim"),
    ),
    "Linux 6",
)
NONE_RAN = Comparison((Tried("kata", runs=False, reason="there is no shim"),), "Linux 6")

PICTURES: dict[str, tuple[Callable[[], Picture], str]] = {
    "sequence": (lambda: sequence(TALK), "3 requests"),
    "chain": (lambda: process_chain(CHAIN), "No runc is left."),
    "chain without daemons": (lambda: process_chain(WITHOUT_DAEMONS), "A runc is at work."),
    "life": (lambda: life_of_a_run(LIFE), "300 ms"),
    "runtimes": (lambda: runtime_comparison(COMPARED), "Not here: kata."),
    "no runtime": (lambda: runtime_comparison(NONE_RAN), "Not here: kata."),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_in_words_what_it_shows(name: str) -> None:
    draw, words = PICTURES[name]
    picture = draw()
    assert words in picture.alt
    assert picture.png.startswith(b"\x89PNG")
    assert len(picture.table)
