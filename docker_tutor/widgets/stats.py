"""A live chart of `docker stats`: start and stop it by keyboard or mouse.

The picture is an ordinary output that is replaced once a second, not a widget: what was drawn last stays in the
notebook, and is all that a reader without a kernel sees. The buttons are widgets.
"""

import base64
import html
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from IPython.display import DisplayHandle, display

from docker_tutor.i18n import _
from docker_tutor.plots.picture import Picture
from docker_tutor.plots.stats import stats_over_time
from docker_tutor.topics.stats import StatsRun, StatsSample

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["LiveStats"]

KEEP = 60
"""The chart shows the last minute."""


class LiveStats:
    """A chart of one container that follows a stream of samples in a thread of its own while it is started.

    `seen` is drawn at once; `stream` is called for a fresh stream at each start. A cell that ends with a
    `LiveStats` shows it. Nothing of it blocks the notebook.
    """

    def __init__(self, seen: StatsRun, stream: Callable[[], Iterator[StatsSample]]) -> None:
        self.run = seen
        self.note = _("Stopped.")
        self._stream = stream
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._handle: DisplayHandle | None = None
        self._on_note: Callable[[str], None] = lambda _note: None

    @property
    def running(self) -> bool:
        """Whether the chart follows the stream."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Follow the stream from now on; returns at once, and does nothing when it follows already."""
        if self.running:
            return
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, args=(self._stop,), daemon=True, name="live stats")
        self._say(_("Following {container}: a new point every second.").format(container=self.run.container))
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer; returns at once. The picture stays."""
        self._stop.set()
        self._say(_("Stopped."))

    def picture(self) -> Picture:
        """Draw the samples seen so far."""
        return stats_over_time(self.run)

    def _follow(self, stop: threading.Event) -> None:
        before = self.run.samples
        offset = before[-1].time_s if before else 0.0
        try:
            with closing(cast("Generator[StatsSample, None, None]", self._stream())) as samples:
                for sample in samples:
                    if stop.is_set():
                        return
                    moved = replace(sample, time_s=offset + sample.time_s)
                    self.run = StatsRun(self.run.container, (*self.run.samples, moved)[-KEEP:])
                    self._redraw()
        except Exception as problem:  # noqa: BLE001 - whatever ends the stream is told to the reader; a thread has nobody else
            self._say(_("The stream ended: {why}").format(why=problem))
            return
        self._say(_("{container} has stopped, and the chart with it.").format(container=self.run.container))

    def _redraw(self) -> None:
        if self._handle is not None:
            self._handle.update(_beside(self.picture()), raw=True)  # type: ignore[no-untyped-call]

    def _say(self, note: str) -> None:
        self.note = note
        self._on_note(note)

    def _controls(self) -> dict[str, object]:
        import ipywidgets

        start = ipywidgets.Button(description=_("Start"), icon="play", tooltip=_("Follow the container"))
        stop = ipywidgets.Button(description=_("Stop"), icon="stop", tooltip=_("Stop following; the picture stays"))
        status = ipywidgets.HTML(_status(self.note))
        start.on_click(lambda _button: self.start())
        stop.on_click(lambda _button: self.stop())

        def tell(note: str) -> None:
            status.value = _status(note)

        self._on_note = tell
        drawn = ipywidgets.HBox([start, stop, status])._repr_mimebundle_()
        hint = _("Run this cell to start and stop the chart.")
        return {**drawn, "text/html": f"<p><em>{html.escape(hint)}</em></p>", "text/plain": hint}

    def _ipython_display_(self) -> None:
        self._handle = display(_beside(self.picture()), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        display(self._controls(), raw=True)  # type: ignore[no-untyped-call]


def _beside(picture: Picture) -> dict[str, str]:
    image = (
        f'<img alt="{html.escape(picture.alt, quote=True)}" style="flex:1 1 40em;min-width:20em;max-width:56em" '
        f'src="data:image/png;base64,{base64.b64encode(picture.png).decode()}">'
    )
    # The newest on top: a minute of them is a list to scroll in.
    rows = picture.table.iloc[::-1].to_html(index=False, border=0, float_format=lambda value: f"{value:.4g}")
    table = f"<div tabindex='0' style='flex:0 0 auto;max-height:13em;overflow:auto'>{rows}</div>"
    page = f"<div style='display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start'>{image}{table}</div>"
    return {"text/html": page, "text/plain": picture.alt}


def _status(note: str) -> str:
    return f"<div role='status'>{html.escape(note)}</div>"
