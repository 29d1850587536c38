"""A build on the clock: every step as a bar, cached or run."""

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from docker_tutor.i18n import _
from docker_tutor.plots.palette import CACHED, FAILED, GREY, REBUILT
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.builds_trace import Step, Trace
from docker_tutor.topics.cache_strategies import Comparison
from docker_tutor.units import human_seconds

__all__ = ["build_comparison", "build_gantt"]

STYLE = {"cached": (CACHED, ""), "ran": (REBUILT, "///"), "failed": (FAILED, "xxx"), "cancelled": (GREY, "...")}
SHOWN = 64
"""Characters of a step's name that are shown."""


def build_gantt(trace: Trace) -> Picture:
    """Draw each step of a build as a bar from its start to its end, with its state in hatch, colour and words."""
    steps = trace.steps
    figure = Figure(figsize=(9.6, 1.3 + 0.3 * len(steps)), layout="constrained")
    axes = figure.add_subplot()
    narrow = 0.004 * max(trace.seconds, 1e-3)
    for y, step in enumerate(steps):
        colour, hatch = _style(step)
        width = max(step.seconds, narrow)
        axes.barh(y, width, left=step.start_s, height=0.7, color=colour, alpha=0.55, edgecolor=colour, hatch=hatch)
        word = _word(step)
        late = step.start_s + width > 0.8 * trace.seconds
        # A bar over nearly the whole width has room for its word inside only.
        within = late and step.start_s < 0.12 * trace.seconds
        x = step.start_s if late and not within else step.start_s + width
        axes.annotate(
            word,
            (x, y),
            xytext=(-4 if late else 4, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5} if within else None,
        )
    axes.set_yticks(range(len(steps)), [_shortened(step.name) for step in steps], fontsize=8, family="monospace")
    axes.set_ylim(len(steps) - 0.4, -0.6)
    axes.set_xlim(0, max(trace.seconds, 1e-3) * 1.02)
    axes.set_xlabel(_("seconds since the build began"))
    axes.set_title(_("One build, step by step: {summary}").format(summary=trace))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    styles = [
        Patch(facecolor=CACHED, alpha=0.55, edgecolor=CACHED, label=_("from the cache")),
        Patch(facecolor=REBUILT, alpha=0.55, edgecolor=REBUILT, hatch="///", label=_("carried out")),
        Patch(facecolor=GREY, alpha=0.4, edgecolor=GREY, label=_("loading, exporting")),
    ]
    if any(step.state == "failed" for step in steps):
        styles.append(Patch(facecolor=FAILED, alpha=0.55, edgecolor=FAILED, hatch="xxx", label=_("failed")))
    figure.legend(handles=styles, loc="outside lower center", ncols=len(styles), frameon=False, handlelength=2.4)
    slowest = max(steps, key=lambda step: step.seconds, default=None)
    alt = _("A chart of {count} steps over {total}: {summary}.").format(
        count=len(steps), total=human_seconds(trace.seconds), summary=trace
    )
    if slowest is not None:
        alt += " " + _("The longest is {name} with {seconds}.").format(
            name=slowest.name, seconds=human_seconds(slowest.seconds)
        )
    return Picture(figure, alt, trace.to_frame())


def build_comparison(result: Comparison) -> Picture:
    """Draw the first build and the rebuild, written one way and the other, in seconds."""
    sides = (result.before, result.after)
    figure = Figure(figsize=(9.6, 2.9), layout="constrained")
    axes = figure.add_subplot()
    longest = max(side.first_s for side in sides)
    for y, side in enumerate(sides):
        for offset, value, colour, hatch in ((-0.2, side.first_s, GREY, ""), (0.2, side.rebuild_s, REBUILT, "///")):
            axes.barh(y + offset, value, height=0.36, color=colour, alpha=0.55, edgecolor=colour, hatch=hatch)
            word = human_seconds(value)
            if hatch:
                word += " — " + _("lines run: {count}").format(count=len(side.ran))
                word += ", " + _("files compiled: {count}").format(count=side.work) if side.work else ""
            axes.annotate(word, (value, y + offset), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(2), [side.name for side in sides], family="monospace", fontsize=9)
    axes.set_ylim(1.55, -0.55)
    axes.set_xlim(0, longest * 1.3)
    axes.set_xlabel(_("seconds"))
    axes.spines[["top", "right"]].set_visible(False)
    title = _("First build, and rebuild after an edit of {file}: {times:.1f} times faster")
    axes.set_title(title.format(file=result.edit, times=result.times_faster))
    styles = [
        Patch(facecolor=GREY, alpha=0.55, edgecolor=GREY, label=_("first build")),
        Patch(facecolor=REBUILT, alpha=0.55, edgecolor=REBUILT, hatch="///", label=_("rebuild after the edit")),
    ]
    figure.legend(handles=styles, loc="outside lower center", ncols=2, frameon=False, handlelength=2.4)
    words = [
        _("{name}: first {first}, rebuild {again}").format(
            name=side.name, first=human_seconds(side.first_s), again=human_seconds(side.rebuild_s)
        )
        for side in sides
    ]
    return Picture(figure, "; ".join(words) + ".", result.to_frame())


def _style(step: Step) -> tuple[str, str]:
    if step.kind in {"internal", "export", "from"} and step.state != "failed":
        return (CACHED, "") if step.cached else (GREY, "")
    return STYLE[step.state]


def _word(step: Step) -> str:
    if step.cached:
        return _("cached")
    if step.state == "ran":
        return human_seconds(step.seconds)
    return _("failed") if step.state == "failed" else _("cancelled")


def _shortened(name: str) -> str:
    line = name.splitlines()[0]
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
