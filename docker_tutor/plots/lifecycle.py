"""Pictures of a container's life: how it stops, and what its health check says over time."""

from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, FAILED, GREY, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.health import HealthTimeline
from docker_tutor.topics.stopping import Stops

__all__ = ["health_timeline", "stop_times"]

STATE_LOOKS = {"starting": (GREY, ""), "healthy": (BLUE, ""), "unhealthy": (FAILED, "///")}


def stop_times(result: Stops) -> Picture:
    """Draw how long each form took to stop, with its exit code and who was PID 1."""
    figure = Figure(figsize=(8.5, 0.9 * len(result.stops) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    for y, stop in enumerate(result.stops):
        colour, hatch = (BLUE, "") if stop.said_goodbye else (FAILED, "///")
        axes.barh(y, stop.seconds, height=0.55, color=colour, alpha=0.55, hatch=hatch, edgecolor=colour)
        words = _("{seconds:.1f} s, exit {code}").format(seconds=stop.seconds, code=stop.exit_code)
        axes.annotate(words, (stop.seconds, y), (6, 0), textcoords="offset points", va="center")
    axes.axvline(result.grace_s, linestyle="--", color=GREY)
    axes.annotate(
        _("grace period"),
        (result.grace_s, -0.45),
        (-4, 0),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=GREY,
    )
    axes.set_yticks(range(len(result.stops)), [f"{stop.form}\nPID 1: {stop.first_process}" for stop in result.stops])
    axes.set_ylim(len(result.stops) - 0.4, -0.75)
    axes.set_xlim(0, result.grace_s * 1.35)
    axes.set_xlabel(_("seconds from docker stop to the end"))
    axes.set_title(_("One program, three last lines of its Dockerfile"))
    axes.spines[["top", "right"]].set_visible(False)
    said = "; ".join(f"{s.form} {s.seconds:.1f} s, exit {s.exit_code}" for s in result.stops)
    return Picture(figure, _("Bars of stop times: {said}.").format(said=said), result.to_frame())


def health_timeline(result: HealthTimeline) -> Picture:
    """Draw the states as a band over time, every probe below it, and the moments of falling ill and of the cure."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.add_subplot()
    ends = [*(at for at, _state in result.states[1:]), result.end_s]
    for (start, state), end in zip(result.states, ends, strict=True):
        colour, hatch = STATE_LOOKS[state]
        axes.barh(1, end - start, left=start, height=0.5, color=colour, alpha=0.4, hatch=hatch, edgecolor=colour)
        if end - start > result.end_s * 0.08:
            plate = {"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.9}
            axes.text((start + end) / 2, 1, state, ha="center", va="center", bbox=plate)
    for kind, marker, colour in ((0, "o", BLUE), (1, "X", FAILED)):
        times = [probe.end_s for probe in result.probes if (probe.exit_code != 0) == bool(kind)]
        label = _("check failed") if kind else _("check succeeded")
        axes.plot(times, [0.35] * len(times), marker, color=colour, markersize=8, label=label)
    for at, words in ((result.fell_ill_s, _("answers 503")), (result.cured_s, _("answers 200 again"))):
        axes.axvline(at, linestyle=":", color=ORANGE, linewidth=2)
        axes.annotate(words, (at, 1.42), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_ylim(0, 1.6)
    axes.set_xlim(0, result.end_s * 1.05)
    axes.set_yticks([1, 0.35], [_("state"), _("checks")])
    axes.set_xlabel(_("seconds since the container was started"))
    title = _("Health with a check every {interval:g} s and {retries} retries")
    axes.set_title(title.format(interval=result.interval_s, retries=result.retries))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    alt = _("A band of states over time: {states}. It takes {late:.1f} s of failing checks until the state changes.")
    states = ", ".join(f"{state} from {at:.1f} s" for at, state in result.states)
    return Picture(figure, alt.format(states=states, late=result.seconds_until_unhealthy()), result.to_frame())
