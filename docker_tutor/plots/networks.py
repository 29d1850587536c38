"""Pictures of networks: who reaches whom, whom an alias reaches, and what each way costs."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.networks_aliases import Alias
from docker_tutor.topics.networks_drivers import Drivers
from docker_tutor.topics.networks_names import Names
from docker_tutor.topics.networks_speed import Speed
from docker_tutor.topics.swarm_reach import Reach

__all__ = ["alias_answers", "name_resolution", "network_speed", "reachability"]

PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9}


def reachability(result: Drivers | Reach) -> Picture:
    """Draw who can open a connection to whom, a row for each caller: in words, hatching and colour."""
    styles = {
        "reached": (BLUE, "", _("reached")),
        "no answer": (ORANGE, "///", _("no answer")),
        "refused": (VERMILION, "xxx", _("refused")),
        "somebody else": (VERMILION, "xxx", _("not it")),
        "no route": (GREY, "...", _("no route")),
        "no address": (GREY, "", _("no address")),
    }
    titles = [member.title for member in result.members]
    cells = [[styles[result.outcomes[caller, called]] for called in titles] for caller in titles]
    figure = Figure(figsize=(1.9 + 1.12 * len(titles), 1.5 + 0.47 * len(titles)), layout="constrained")
    _grid(figure.add_subplot(), cells, titles, titles, _("Who (row) can call whom (column)"))
    kept = [
        f"{caller} → {called}"
        for (caller, called), how in result.outcomes.items()
        if how == "reached" and caller != called
    ]
    alt = _("A grid of {count} callers and as many called. A connection comes about only for: {pairs}.")
    return Picture(figure, alt.format(count=len(titles), pairs=", ".join(kept)), result.reach_frame())


def name_resolution(result: Names) -> Picture:
    """Draw which sort of name is answered on which bridge."""
    rows = [f"{lookup.kind}\n{lookup.name}" for lookup in result.lookups]
    columns = [
        _("user bridge\n(asks {server})").format(server=result.server_user),
        _("default bridge\n(asks {server})").format(server=result.server_default),
    ]
    cells = [
        [
            (BLUE, "", found[0]) if found else (ORANGE, "///", _("not found"))
            for found in (each.user_bridge, each.default_bridge)
        ]
        for each in result.lookups
    ]
    figure = Figure(figsize=(6.4, 1.4 + 0.62 * len(rows)), layout="constrained")
    _grid(figure.add_subplot(), cells, rows, columns, _("Can a container look up its neighbour?"))
    found = [lookup.kind for lookup in result.lookups if lookup.user_bridge]
    lost = [lookup.kind for lookup in result.lookups if not lookup.default_bridge]
    alt = _("On the user bridge these are found: {found}. On the default bridge these are not found: {lost}.")
    words = alt.format(found=", ".join(found) or _("none"), lost=", ".join(lost) or _("none"))
    return Picture(figure, words, result.to_frame())


def _grid(axes: Axes, cells: list[list[tuple[str, str, str]]], rows: list[str], columns: list[str], title: str) -> None:
    for y, row in enumerate(cells):
        for x, (colour, hatch, word) in enumerate(row):
            box = Rectangle(
                (x + 0.03, y + 0.07), 0.94, 0.86, facecolor=colour, alpha=0.35, edgecolor=colour, hatch=hatch
            )
            axes.add_patch(box)
            axes.text(x + 0.5, y + 0.5, word, ha="center", va="center", fontsize=9, bbox=PLATE if hatch else None)
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([x + 0.5 for x in range(len(columns))], [_wrapped(name) for name in columns])
    axes.set_yticks([y + 0.5 for y in range(len(rows))], rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, pad=12)


def _wrapped(name: str) -> str:
    return name if "\n" in name or len(name) < 12 else name.replace(" ", "\n", 1)


def alias_answers(result: Alias) -> Picture:
    """Draw how often each container stood first in the answer, and how many requests it got."""
    names = list(result.servers)
    figure = Figure(figsize=(7.2, 1.3 + 0.75 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(names):
        pairs = ((0.2, result.first_answers.get(name, 0), BLUE, ""), (-0.2, result.calls.get(name, 0), ORANGE, "///"))
        for offset, count, colour, hatch in pairs:
            axes.barh(place - offset, count, height=0.36, color=colour, alpha=0.6, edgecolor=colour, hatch=hatch)
            axes.text(count + result.questions * 0.008, place - offset, str(count), va="center", fontsize=9)
    axes.set_yticks(range(len(names)), [f"{name}\n{result.servers[name]}" for name in names])
    axes.invert_yaxis()
    axes.axvline(result.questions / len(names), color=GREY, linestyle="--", linewidth=1)
    axes.set_xlabel(_("times out of {count} (dashed: an even share)").format(count=result.questions))
    axes.legend(
        [_patch(BLUE, ""), _patch(ORANGE, "///")],
        [_("first in the answer"), _("requests answered")],
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1, 1),
    )
    axes.set_title(_("One alias, {count} containers").format(count=len(names)))
    axes.spines[["top", "right"]].set_visible(False)
    shares = ", ".join(f"{name} {result.first_answers.get(name, 0)}" for name in names)
    alt = _("Of {count} answers to the alias, these stood first: {shares}. The requests spread alike.")
    return Picture(figure, alt.format(count=result.questions, shares=shares), result.to_frame())


def _patch(colour: str, hatch: str) -> Rectangle:
    return Rectangle((0, 0), 1, 1, facecolor=colour, alpha=0.6, edgecolor=colour, hatch=hatch)


def network_speed(result: Speed) -> Picture:
    """Draw throughput and round trip of each way, side by side."""
    titles = [path.title for path in result.paths]
    figure = Figure(figsize=(10, 1.5 + 0.5 * len(titles)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for place, path in enumerate(result.paths):
        gigabits, median, late = path.throughput_bits_per_s / 1e9, path.median_s * 1e6, path.p99_s * 1e6
        left.barh(place, gigabits, color=GREEN, alpha=0.6, edgecolor=GREEN)
        left.text(gigabits, place, f" {gigabits:.1f}", va="center", fontsize=9)
        right.plot((median, late), (place, place), color=SKY, linewidth=3)
        right.plot(median, place, marker="o", color=BLUE, linestyle="none", label=_("median") if not place else None)
        right.plot(
            late,
            place,
            marker="|",
            markersize=14,
            color=VERMILION,
            linestyle="none",
            label=_("p99") if not place else None,
        )
        right.text(median, place - 0.18, f"{median:.0f}", ha="center", va="bottom", fontsize=9)
    left.set_yticks(range(len(titles)), titles)
    left.invert_yaxis()
    left.margins(x=0.14)
    left.set_xlabel(_("throughput of one TCP stream (Gbit/s)"))
    right.set_xscale("log")
    right.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.xaxis.set_major_formatter(ScalarFormatter())
    right.xaxis.set_minor_formatter(NullFormatter())  # on less than a decade it would write over the others
    right.set_xlabel(_("round trip of one byte (µs, logarithmic)"))
    right.margins(y=0.2)
    right.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(_("The same server, called in four ways"))
    words = [
        _("{way}: {rate:.1f} Gbit/s and {trip:.0f} µs").format(
            way=each.title, rate=each.throughput_bits_per_s / 1e9, trip=each.median_s * 1e6
        )
        for each in result.paths
    ]
    return Picture(
        figure, _("Throughput and median round trip. {ways}.").format(ways="; ".join(words)), result.to_frame()
    )
