"""The cache's rules as a picture: experiments × lines of a Dockerfile, and the reader's prediction under the truth."""

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLACK, CACHED, FAILED, REBUILT
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.cache import Grid

__all__ = ["cache_grid", "cache_oracle"]

Guess = Mapping[tuple[str, str], bool]
"""(line, experiment) → whether the reader thinks that it runs again."""


def cache_grid(grid: Grid) -> Picture:
    """Draw which lines came from the cache and which ran, experiment by experiment; in words, hatch and colour."""
    figure, axes = _sheet(grid)
    for y, experiment in enumerate(grid.experiments):
        ran = grid.ran(experiment)
        for x, line in enumerate(grid.lines):
            _draw(axes, x, y, ran=line in ran)
    axes.set_title(_("What BuildKit did with each line, after one change (lines from left to right)"), pad=12)
    _legend(figure)
    words = [_sentence(grid, experiment) for experiment in grid.experiments]
    alt = _("A grid of {lines} lines of a Dockerfile and {count} experiments. {words}")
    table = grid.to_frame()
    return Picture(figure, alt.format(lines=len(grid.lines), count=len(grid.experiments), words=" ".join(words)), table)


def cache_oracle(grid: Grid, guess: Guess | None) -> Picture:
    """Lay the truth over the reader's prediction: what was foreseen wrongly is outlined and marked with a cross.

    Cells that the reader left alone count as predicted to be cached. With no prediction at all, the truth alone.
    """
    if guess is None:
        return cache_grid(grid)
    figure, axes = _sheet(grid)
    rows, wrong = [], 0
    for y, experiment in enumerate(grid.experiments):
        ran = grid.ran(experiment)
        for x, line in enumerate(grid.lines):
            missed = guess.get((line, experiment), False) != (line in ran)
            wrong += missed
            _draw(axes, x, y, ran=line in ran, missed=missed)
            if missed:
                rows.append(
                    {
                        _("experiment"): grid.experiments[experiment],
                        _("line"): grid.lines[line],
                        _("it"): _("ran") if line in ran else _("was cached"),
                        _("because"): grid.cell(line, experiment).why,
                    }
                )
    total = len(grid.lines) * len(grid.experiments)
    right = _("You foresaw {right} of {total} cells").format(right=total - wrong, total=total)
    axes.set_title(right, pad=12)
    _legend(figure, Patch(facecolor="white", edgecolor=FAILED, linewidth=3, label=_("✗ you said otherwise")))
    missed_words = [f"{row[_('experiment')]}, {row[_('line')]}: {row[_('it')]}" for row in rows]
    alt = _("{right}. Missed: {missed}.").format(right=right, missed="; ".join(missed_words) or _("none"))
    table = pd.DataFrame(rows, columns=[_("experiment"), _("line"), _("it"), _("because")])
    return Picture(figure, alt, table)


def _sheet(grid: Grid) -> tuple[Figure, Axes]:
    columns, rows = len(grid.lines), len(grid.experiments)
    figure = Figure(figsize=(2.4 + 1.02 * columns, 1.6 + 0.36 * rows), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    labels = [textwrap.fill(label, 13, break_long_words=False) for label in grid.lines.values()]
    axes.set_xticks([x + 0.5 for x in range(columns)], labels, fontsize=8, family="monospace")
    axes.set_yticks([y + 0.5 for y in range(rows)], list(grid.experiments.values()), fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes


def _draw(axes: Axes, x: int, y: int, *, ran: bool, missed: bool = False) -> None:
    colour, hatch, word = (REBUILT, "///", _("ran")) if ran else (CACHED, "", _("cached"))
    box = Rectangle((x + 0.04, y + 0.08), 0.92, 0.84, facecolor=colour, alpha=0.38, edgecolor=colour, hatch=hatch)
    axes.add_patch(box)
    plate = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9} if ran else None
    label = f"✗ {word}" if missed else word
    axes.text(x + 0.5, y + 0.5, label, ha="center", va="center", fontsize=8, color=BLACK, bbox=plate)
    if missed:
        frame = Rectangle((x + 0.06, y + 0.1), 0.88, 0.8, fill=False, edgecolor=FAILED, linewidth=2.6, zorder=4)
        axes.add_patch(frame)


def _legend(figure: Figure, *more: Patch) -> None:
    styles = [
        Patch(facecolor=CACHED, alpha=0.38, edgecolor=CACHED, label=_("taken from the cache")),
        Patch(facecolor=REBUILT, alpha=0.38, edgecolor=REBUILT, hatch="///", label=_("run again")),
        *more,
    ]
    figure.legend(handles=styles, loc="outside lower center", ncols=len(styles), frameon=False, handlelength=2.4)


def _sentence(grid: Grid, experiment: str) -> str:
    ran = [label for line, label in grid.lines.items() if line in grid.ran(experiment)]
    name = grid.experiments[experiment]
    words = _("{experiment}: {ran} ran.") if ran else _("{experiment}: all cached.")
    return words.format(experiment=name[0].upper() + name[1:], ran=", ".join(ran))
