"""The picture of base images side by side: how big, and how much there is in them to attack."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, ORANGE
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.bases import Bases
from docker_tutor.units import MiB

__all__ = ["base_images"]


def base_images(result: Bases) -> Picture:
    """Draw three rows of bars: mebibytes, programs and packages; each image says whether it has a shell."""
    names = [f"{base.image}\n({_('has a shell') if base.shell else _('no shell')})" for base in result.images]
    figure = Figure(figsize=(10, 0.75 * len(names) + 1.3), layout="constrained")
    size, programs, packages = figure.subplots(1, 3, sharey=True)
    _bars(size, names, [base.size_bytes / MiB for base in result.images], BLUE, _("size in MiB"), "{:.1f}")
    _bars(programs, names, [base.programs for base in result.images], ORANGE, _("programs"), "{:.0f}")
    _bars(packages, names, [base.packages for base in result.images], GREEN, _("packages"), "{:.0f}")
    figure.suptitle(_("What comes with a base image"))
    said = "; ".join(f"{b.image}: {b.size_bytes / MiB:.1f} MiB, {b.programs} programs" for b in result.images)
    return Picture(figure, _("Bars for each base image. {said}.").format(said=said), result.to_frame())


def _bars(axes: Axes, names: list[str], values: list[float], colour: str, title: str, shape: str) -> None:
    axes.barh(names, values, color=colour, alpha=0.75, height=0.6)
    for y, value in enumerate(values):
        axes.annotate(shape.format(value), (value, y), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_xlim(0, max(values) * 1.25 or 1)
    axes.set_xlabel(title)
    if not axes.yaxis_inverted():
        axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
