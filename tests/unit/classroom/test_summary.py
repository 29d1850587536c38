import pytest

from docker_tutor.classroom.summary import Summary, about
from docker_tutor.engines.base import EngineStatus
from docker_tutor.engines.private.engine import PrivateEngine
from docker_tutor.images import Provided
from docker_tutor.images.provided import Source

SENTENCE = "Docker 26.1.5 of the course's own: no daemon was running here."


def image(name: str, source: Source, note: str = "") -> Provided:
    return Provided(name, source, "sha256:0", 1, 0.1, note)


def summary(*images: Provided, removed: int = 0) -> Summary:
    return Summary("00-cafe", SENTENCE, images, 0.8, removed)


def test_the_summary_says_which_engine_and_where_things_go() -> None:
    text = summary(image("alpine:3.19", "registry")).text()
    assert SENTENCE in text
    assert "alpine:3.19" in text
    assert "room.close()" in text
    assert "Stand-ins" not in text
    assert "Removed first" not in text


def test_stand_ins_are_named_and_explained() -> None:
    shown = summary(image("alpine:3.19", "local"), image("nginx", "stand-in", "Debian's nginx 1.26.")).rows()
    assert ("Images", "alpine:3.19") in shown
    assert ("nginx", "Debian's nginx 1.26.") in shown
    (said,) = [said for what, said in shown if what == "Stand-ins"]
    assert "sizes and versions are the stand-in's" in said


def test_what_a_dead_kernel_left_is_counted() -> None:
    assert "Removed first: 3 things left by a kernel that died." in summary(removed=3).text()


def test_the_page_is_a_table_with_headed_rows_and_escaped_text() -> None:
    page = Summary("00-cafe", "an engine <of> ours", (), 0.1).page()
    assert "<th scope='row'" in page
    assert "an engine &lt;of&gt; ours" in page


@pytest.mark.parametrize(
    ("asked", "disposable", "why"),
    [
        ("auto", True, "No other engine answered on this machine."),
        ("auto", False, "It was there already; what is yours on it is left alone."),
        ("private", True, "You asked for it with `DOCKER_TUTOR_ENGINE=private`."),
    ],
)
def test_the_engine_is_named_with_the_reason_for_it(
    asked: str, *, disposable: bool, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SomeEngine(PrivateEngine):
        def __init__(self) -> None:
            self.disposable = disposable

        def status(self) -> EngineStatus:
            return EngineStatus("private", "running", "It is running.", version="26.1.5+dfsg1-9+deb13u1")

    monkeypatch.setenv("DOCKER_TUTOR_ENGINE", asked)
    assert about(SomeEngine()) == f"Docker 26.1.5, private. It is running. {why}"
