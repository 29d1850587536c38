"""The map of the course: one row per notebook, one box per section, and how far the learner came."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.classroom.course_map import CourseMap, Section
from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, VERMILION
from docker_tutor.plots.picture import Picture

__all__ = ["course_map"]

LOOKS = {
    "open": (GREY, "", "○"),
    "begun": (BLUE, "..", "◐"),
    "done": (GREEN, "", "✓"),
    "failed": (VERMILION, "///", "✗"),
}
CHARACTERS = 17
ACROSS = 7


def course_map(result: CourseMap) -> Picture:
    """Draw every section as a box with a mark, hatching and colour for its state, and its claims as a fraction."""
    rows: list[tuple[str, tuple[Section, ...]]] = []
    for name in result.notebooks:
        sections = result.notebook(name)
        starts = range(0, len(sections), ACROSS)
        rows += [("" if start else name, sections[start : start + ACROSS]) for start in starts]
    figure = Figure(figsize=(10.4, 0.82 * len(rows) + 0.8), layout="constrained")
    axes = figure.add_subplot()
    for y, (_name, sections) in enumerate(rows):
        for x, section in enumerate(sections):
            _box(axes, x, y, section)
    axes.set_xlim(0, ACROSS)
    axes.set_ylim(max(len(rows), 1), 0)
    axes.set_xticks([])
    axes.set_yticks([y + 0.5 for y in range(len(rows))], [name for name, _sections in rows], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(_("Your way through the course (○ open, ◐ begun, ✓ done, ✗ a check failed)"), fontsize=11)
    done = sum(section.state == "done" for section in result.sections)
    alt = _("A map of {count} sections; {done} are done.").format(count=len(result.sections), done=done)
    return Picture(figure, alt, result.to_frame())


def _box(axes: Axes, x: int, y: int, section: Section) -> None:
    colour, hatch, mark = LOOKS[section.state]
    axes.add_patch(
        Rectangle((x + 0.04, y + 0.08), 0.92, 0.84, facecolor=colour, alpha=0.25, edgecolor=colour, hatch=hatch)
    )
    title = textwrap.shorten(section.title.replace("`", ""), 3 * CHARACTERS, placeholder=" …")
    words = textwrap.fill(title, CHARACTERS)
    text = f"{mark} {section.held}/{section.claims}\n{words}"
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.75}
    axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8, bbox=plate)
