"""Pictures of where data lives: what survives, and how fast each place takes it."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREY, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.volume_speed import WriteSpeed
from docker_tutor.topics.volumes import Survival
from docker_tutor.units import MiB, human_bytes

__all__ = ["volume_survival", "volume_write_speed"]


def volume_survival(result: Survival) -> Picture:
    """Draw which place still has the file after each event: a grid of words, colours and hatching."""
    events = (
        _("written"),
        _("container stopped\nand started"),
        _("engine\nrestarted"),
        _("a new container,\nsame mounts"),
    )
    looks = {
        True: (BLUE, "", _("there")),
        False: (ORANGE, "///", _("gone")),
        None: (GREY, "...", _("not tried")),
    }
    figure = Figure(figsize=(8.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for y, row in enumerate(result.rows):
        moments = (True, row.after_stop_and_start, row.after_engine_restart, row.after_removal)
        for x, kept in enumerate(moments):
            colour, hatch, word = looks[kept]
            box = Rectangle(
                (x + 0.04, y + 0.08), 0.92, 0.84, facecolor=colour, alpha=0.3, edgecolor=colour, hatch=hatch
            )
            axes.add_patch(box)
            plate = {"facecolor": "white", "edgecolor": "none", "pad": 2, "alpha": 0.9}
            axes.text(x + 0.5, y + 0.5, word, ha="center", va="center", fontsize=11, bbox=plate)
    axes.set_xlim(0, len(events))
    axes.set_ylim(len(result.rows), 0)
    axes.set_xticks([x + 0.5 for x in range(len(events))], events)
    axes.set_yticks(
        [y + 0.5 for y in range(len(result.rows))], [f"{row.place}\n({row.file_system})" for row in result.rows]
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_("One file, four places: what is left of it"), pad=14)
    lasting = [row.place for row in result.rows if row.after_removal]
    lost = [row.place for row in result.rows if not row.after_stop_and_start]
    alt = _(
        "A grid of four places and four moments. A stop and start of the container empties: {lost}. "
        "In a new container the file is still there in: {places}."
    )
    words = alt.format(places=", ".join(lasting) or _("none"), lost=", ".join(lost) or _("none"))
    return Picture(figure, words, result.to_frame())


def volume_write_speed(result: WriteSpeed) -> Picture:
    """Draw the rate at which each place took the bytes: bars for medians, dots for every repetition."""
    places = list(result.seconds)
    rates = [result.rate_bytes_per_s(place) / MiB for place in places]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    notes = [
        _("{place}\n({size} to a device)").format(place=place, size=human_bytes(result.device_bytes[place]))
        for place in places
    ]
    axes.barh(places, rates, color=BLUE, alpha=0.75, height=0.6, label=_("median"))
    for y, place in enumerate(places):
        dots = [result.size_bytes / seconds / MiB for seconds in result.seconds[place]]
        axes.plot(dots, [y] * len(dots), "o", color="white", markeredgecolor=GREY, markersize=6)
        axes.annotate(f"{rates[y]:.0f}", (max([*dots, rates[y]]), y), (8, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(places)), notes)
    axes.invert_yaxis()
    axes.margins(x=0.14)
    axes.set_xlim(left=0)
    axes.set_xlabel(_("MiB per second, flushed to the device (dots: single runs)"))
    axes.set_title(_("Writing {size} to four places").format(size=human_bytes(result.size_bytes)))
    axes.spines[["top", "right"]].set_visible(False)
    pairs = ", ".join(f"{place} {rate:.0f}" for place, rate in zip(places, rates, strict=True))
    dry = ", ".join(place for place in places if not result.device_bytes[place]) or _("none")
    words = _("Bars of write rates in MiB per second: {pairs}. Nothing was sent to a device from: {dry}.")
    alt = words.format(pairs=pairs, dry=dry)
    return Picture(figure, alt, result.to_frame())
