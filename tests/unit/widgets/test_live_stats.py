import threading
from collections.abc import Iterator

import pytest

from docker_tutor.topics.stats import StatsRun, StatsSample
from docker_tutor.widgets import LiveStats


def sample(second: float) -> StatsSample:
    return StatsSample(second, 0.5, 1 << 20, 64 << 20, 1, 0, 0)


class Source:
    """A stream that gives a sample whenever the test says so."""

    def __init__(self) -> None:
        self.asked, self.given, self.closed = threading.Event(), threading.Semaphore(0), threading.Event()
        self.ends = False

    def __call__(self) -> Iterator[StatsSample]:
        try:
            for second in range(1, 1000):
                self.asked.set()
                assert self.given.acquire(timeout=5)
                if self.ends:
                    return
                yield sample(float(second))
        finally:
            self.closed.set()

    def give(self) -> None:
        assert self.asked.wait(5)
        self.asked.clear()
        self.given.release()
        assert self.asked.wait(5)


def ended(live: LiveStats) -> bool:
    assert live._thread is not None
    live._thread.join(5)
    return not live.running


def test_nothing_is_followed_before_start() -> None:
    live = LiveStats(StatsRun("busy", (sample(1.0),)), Source())
    assert not live.running
    assert live.note == "Stopped."
    assert "busy uses 0.50 CPUs" in live.picture().alt


def test_started_it_adds_samples_where_it_left_off_and_stopped_it_lets_the_stream_go() -> None:
    source = Source()
    live = LiveStats(StatsRun("busy", (sample(3.0),)), source)
    live.start()
    live.start()
    source.give()
    assert [one.time_s for one in live.run.samples] == [3.0, 4.0]
    live.stop()
    source.given.release()
    assert ended(live)
    assert source.closed.is_set()
    assert len(live.run.samples) == 2


def test_a_stream_that_ends_is_told() -> None:
    source = Source()
    live = LiveStats(StatsRun("busy", ()), source)
    live.start()
    source.ends = True
    source.given.release()
    assert ended(live)
    assert live.note == "busy has stopped, and the chart with it."


def test_a_stream_that_breaks_is_told_with_its_reason() -> None:
    def broken() -> Iterator[StatsSample]:
        yield sample(1.0)
        raise ConnectionError("the engine went away")

    live = LiveStats(StatsRun("busy", ()), broken)
    live.start()
    assert ended(live)
    assert live.note == "The stream ended: the engine went away"


def test_only_the_last_minute_is_kept() -> None:
    live = LiveStats(StatsRun("busy", ()), lambda: (sample(float(second)) for second in range(100)))
    live.start()
    assert ended(live)
    assert len(live.run.samples) == 60


def test_shown_it_is_a_picture_with_a_table_beside_it_and_buttons_that_say_what_they_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = []
    monkeypatch.setattr("docker_tutor.widgets.stats.display", lambda data, **_wanted: shown.append(data))
    LiveStats(StatsRun("busy", (sample(1.0),)), Source())._ipython_display_()
    picture, controls = shown
    assert "<img alt=" in picture["text/html"]
    assert "<table" in picture["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in controls
    assert "Run this cell" in controls["text/html"]


def test_the_buttons_start_and_stop() -> None:
    source = Source()
    live = LiveStats(StatsRun("busy", ()), source)
    start, stop = _buttons(live)
    start.click()
    assert live.running
    stop.click()
    source.given.release()
    assert ended(live)


def _buttons(live: LiveStats) -> tuple[object, object]:
    import ipywidgets

    made = []
    original = ipywidgets.Button.__init__

    def remember(self: object, *arguments: object, **settings: object) -> None:
        original(self, *arguments, **settings)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ipywidgets.Button, "__init__", remember)
        live._controls()
    return made[0], made[1]
