"""Pictures of control groups at their limits: memory, shares, processes. `cgroups_cpu` has the one of quotas."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, BLUE, CONTAINER, GREY, LIMIT, ORANGE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.cgroups import CpuShares, MemoryRun, PidsRun
from docker_tutor.units import MiB

__all__ = ["memory_until_killed", "pids_until_refused", "shares_split"]

ROWS = 24
"""A table under a picture is thinned to about this many rows."""


def memory_until_killed(run: MemoryRun) -> Picture:
    """Draw a container's memory over time, its limit, and a cross where the kernel killed the program."""
    figure, axes = _one()
    used = [sample.used_bytes / MiB for sample in run.samples]
    start, end = _climb(used, killed=run.oom_killed)
    used = used[start:end]
    times = [sample.time_s - run.samples[start].time_s for sample in run.samples[start:end]]
    axes.plot(times, used, color=CONTAINER, linewidth=2)
    half = next(place for place, size in enumerate(used) if size >= max(used) / 2)
    axes.text(times[half] + 0.02 * times[-1], used[half], _("memory in use"), color=CONTAINER, va="top")
    top = max([*used, (run.limit_bytes or 0) / MiB]) * 1.2
    if run.limit_bytes is not None:
        limit = run.limit_bytes / MiB
        axes.axhline(limit, color=LIMIT, linestyle="--")
        axes.text(0, limit + top * 0.015, _("limit: {size:g} MiB").format(size=limit), color=LIMIT, va="bottom")
    if run.oom_killed:
        axes.plot(times[-1], used[-1], marker="x", color=BLACK, markersize=13, markeredgewidth=3)
        words = _("killed: exit {code}").format(code=run.exit_code)
        axes.annotate(words, (times[-1], used[-1]), (10, -20), textcoords="offset points")
    axes.set(ylim=(0, top), xlabel=_("time in s"), ylabel=_("memory of the container in MiB"))
    axes.set_xlim(0, times[-1] * (1.25 if run.oom_killed else 1.05))
    axes.set_title(_memory_title(run), loc="left")
    return Picture(figure, _memory_alt(run, times[-1]), _thinned(run.to_frame().iloc[start:end]))


def shares_split(result: CpuShares) -> Picture:
    """Draw the CPU time that containers on one CPU got, beside what their weights promise."""
    figure, axes = _one(height=2.9)
    colours, hatches = (BLUE, ORANGE, SKY, GREY), ("", "//", "..", "xx")
    places = range(len(result.containers))
    left_measured = left_promised = 0.0
    for place in places:
        style: dict[str, Any] = {"color": colours[place % 4], "hatch": hatches[place % 4], "edgecolor": "white"}
        measured, promised = 100 * result.measured(place), 100 * result.expected(place)
        axes.barh(1, measured, left=left_measured, height=0.6, **style)
        axes.barh(0, promised, left=left_promised, height=0.6, alpha=0.55, **style)
        asked = result.containers[place].asked_shares
        weight = result.containers[place].weight
        _label(axes, left_measured + measured / 2, 1, _("{percent:.1f} %").format(percent=measured))
        _label(axes, left_promised + promised / 2, 0, _("{percent:.1f} %").format(percent=promised))
        words = _("--cpu-shares {asked}\nweight read back: {weight}").format(asked=asked, weight=weight)
        axes.text(left_measured + measured / 2, 1.4, words, ha="center", va="bottom", fontsize=9)
        left_measured, left_promised = left_measured + measured, left_promised + promised
    axes.set_yticks([0, 1], [_("promised\nby the weights"), _("measured")])
    axes.set(xlim=(0, 100), ylim=(-0.4, 2.1), xlabel=_("part of the CPU time in %"))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(
        _("Two that want the same CPU divide it by weight") if len(places) == 2 else _("One CPU, divided by weight"),
        loc="left",
    )
    parts = [
        _("{percent:.0f} % to the one with {asked} shares").format(
            percent=100 * result.measured(place), asked=result.containers[place].asked_shares
        )
        for place in places
    ]
    promised_parts = ":".join(f"{100 * result.expected(place):.0f}" for place in places)
    alt = _("CPU time on one CPU: {parts}. The weights read back promise {promised}.").format(
        parts=", ".join(parts), promised=promised_parts
    )
    return Picture(figure, alt, result.to_frame())


def pids_until_refused(run: PidsRun) -> Picture:
    """Draw the number of processes after each attempt to start one more, with a cross for each refusal."""
    figure, axes = _one()
    attempts = [fork.attempt for fork in run.forks]
    axes.step(attempts, [fork.processes for fork in run.forks], where="post", color=CONTAINER, linewidth=2)
    refused = [fork for fork in run.forks if fork.refusal]
    if refused:
        axes.plot(
            [fork.attempt for fork in refused],
            [fork.processes for fork in refused],
            "x",
            color=BLACK,
            markersize=9,
            markeredgewidth=2,
        )
        words = _("refused: {error}").format(error=refused[0].refusal)
        axes.annotate(words, (refused[0].attempt, refused[0].processes), (4, -20), textcoords="offset points")
    top = max(run.most_processes, run.limit or 0) * 1.2
    if run.limit is not None:
        axes.axhline(run.limit, color=LIMIT, linestyle="--")
        axes.text(
            attempts[0],
            run.limit + top * 0.015,
            _("pids.max: {limit}").format(limit=run.limit),
            color=LIMIT,
            va="bottom",
        )
    axes.set(ylim=(0, top), xlabel=_("attempt to start a process"), ylabel=_("processes in the container"))
    axes.set_title(_("Forks until the kernel refuses") if refused else _("Forks, none of them refused"), loc="left")
    alt = _("Processes rise to {most} in {attempts} attempts; {refusals} attempts are refused.").format(
        most=run.most_processes, attempts=len(attempts), refusals=run.refusals
    )
    return Picture(figure, alt, run.to_frame())


def _climb(used: list[float], *, killed: bool) -> tuple[int, int]:
    """Return where the climb begins and ends: before it the runtime is at work, after a kill the group empties."""
    top = used.index(max(used))
    flat = max((place for place in range(top) if used[place] < used[top] / 10), default=0)
    return max(0, flat - 5), top + 1 if killed else len(used)


def _one(height: float = 3.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _label(axes: Axes, across: float, up: float, words: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "boxstyle": "round,pad=0.25"}
    axes.text(across, up, words, ha="center", va="center", bbox=box)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    step = max(1, -(-len(frame) // ROWS))
    keep = [*range(0, len(frame), step)]
    if keep[-1] != len(frame) - 1:
        keep.append(len(frame) - 1)
    return frame.iloc[keep]


def _memory_title(run: MemoryRun) -> str:
    asked = run.asked_bytes / MiB
    if run.oom_killed:
        return _("A program touches {asked:g} MiB, page by page, and is killed on the way").format(asked=asked)
    return _("A program touches {asked:g} MiB, page by page").format(asked=asked)


def _memory_alt(run: MemoryRun, seconds: float) -> str:
    if run.oom_killed and run.limit_bytes is not None:
        return _(
            "Memory of the container rises in {seconds:.1f} s to its limit of {limit:g} MiB, "
            "where the kernel kills the program."
        ).format(seconds=seconds, limit=run.limit_bytes / MiB)
    return _("Memory of the container rises to {peak:.0f} MiB; nothing is killed.").format(peak=run.peak_bytes / MiB)
