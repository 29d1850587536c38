"""The picture of `docker stats`: CPU and memory of one container over time."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from docker_tutor.i18n import _
from docker_tutor.plots.palette import CONTAINER, LIMIT, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.stats import StatsRun
from docker_tutor.units import MiB

__all__ = ["stats_over_time"]

ROWS = 10
"""The table under the picture keeps the last ten samples."""


def stats_over_time(run: StatsRun) -> Picture:
    """Draw what a container used, a point for each second: CPUs on the left, memory and its limit on the right."""
    figure = Figure(figsize=(8, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    times = [sample.time_s for sample in run.samples]
    cpus = [sample.cpus for sample in run.samples]
    memory = [sample.memory_bytes / MiB for sample in run.samples]
    left.plot(times, cpus, "o-", color=CONTAINER)
    left.set(ylim=(0, max([1.0, *cpus]) * 1.15), ylabel=_("CPUs used"))
    right.plot(times, memory, "s-", color=ORANGE)
    top = max([1.0, *memory])
    if run.samples and run.samples[-1].memory_limit_bytes / MiB < 10 * top:
        limit = run.samples[-1].memory_limit_bytes / MiB
        top = max(top, limit)
        right.axhline(limit, color=LIMIT, linestyle="--")
        words = _("limit: {size:g} MiB").format(size=limit)
        right.annotate(
            words,
            (0.02, limit),
            (0, -4),
            xycoords=right.get_yaxis_transform(),
            textcoords="offset points",
            color=LIMIT,
            va="top",
        )
    right.set(ylim=(0, top * 1.15), ylabel=_("memory in MiB"))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xlabel=_("time in s"), xlim=(0, max([1.0, *times]) * 1.05))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(_("What {container} uses").format(container=run.container), x=0.01, ha="left")
    return Picture(figure, _alt(run), run.to_frame().tail(ROWS))


def _alt(run: StatsRun) -> str:
    if not run.samples:
        return _("No sample yet: {container} is not running.").format(container=run.container)
    last = run.samples[-1]
    words = _("After {seconds:.0f} s {container} uses {cpus:.2f} CPUs and {memory:.1f} MiB of at most {limit:.0f} MiB.")
    return words.format(
        seconds=last.time_s,
        container=run.container,
        cpus=last.cpus,
        memory=last.memory_bytes / MiB,
        limit=last.memory_limit_bytes / MiB,
    )
