"""The cache oracle: a grid of experiments × lines in which the reader says what will run again.

Every cell is a button: Tab goes from one to the next, Space changes it, and it says in words what it stands for.
"""

import html
from typing import TYPE_CHECKING, Any

from docker_tutor.classroom.bars import in_kernel
from docker_tutor.i18n import _
from docker_tutor.topics.cache import EXPERIMENTS, LABELS, ORACLE

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["CacheOracle"]


class CacheOracle:
    """Takes a prediction for each experiment and line; `guess` is what `plots.cache_oracle` lays the truth over."""

    def __init__(self) -> None:
        labels = {experiment.key: _(experiment.label) for experiment in EXPERIMENTS}
        self.experiments = {key: labels[key] for key in ORACLE}
        self.lines = {key: _(label) for key, label in LABELS.items()}
        self._runs: dict[tuple[str, str], bool] = {}

    @property
    def guess(self) -> dict[tuple[str, str], bool] | None:
        """(line, experiment) → whether it runs again; None as long as nothing was predicted."""
        return dict(self._runs) or None

    def say(self, experiment: str, line: str, *, runs: bool) -> None:
        """Predict one cell. Raises KeyError for an experiment or a line that is not in the grid."""
        if experiment not in self.experiments:
            raise KeyError(experiment)
        if line not in self.lines:
            raise KeyError(line)
        self._runs[line, experiment] = runs

    def _widget(self) -> "ipywidgets.VBox":
        import ipywidgets

        cells: list[Any] = [ipywidgets.HTML("")]
        cells += [_label(label, mono=True) for label in self.lines.values()]
        for experiment, name in self.experiments.items():
            cells.append(_label(name))
            cells += [self._button(experiment, line) for line in self.lines]
        columns = f"minmax(9em,14em) repeat({len(self.lines)}, minmax(5.5em, 8em))"
        layout = ipywidgets.Layout(grid_template_columns=columns, grid_gap="3px 3px", align_items="center")
        hint = _("One change each. Which lines will BuildKit carry out again? Tab moves, Space changes.")
        return ipywidgets.VBox(
            [ipywidgets.HTML(f"<p>{html.escape(hint)}</p>"), ipywidgets.GridBox(cells, layout=layout)]
        )

    def _button(self, experiment: str, line: str) -> Any:
        import ipywidgets

        runs = self._runs.get((line, experiment), False)
        button = ipywidgets.ToggleButton(
            value=runs,
            description=_word(runs=runs),
            tooltip=f"{self.experiments[experiment]} — {self.lines[line]}",
            layout=ipywidgets.Layout(width="auto"),
        )

        def changed(change: Any) -> None:
            self.say(experiment, line, runs=change["new"])
            button.description = _word(runs=change["new"])
            button.button_style = "warning" if change["new"] else ""

        button.observe(changed, names="value")
        return button

    def _text(self) -> str:
        lines = [_("Which of these lines run again after each change?")]
        lines += [f"  {name}: {', '.join(self.lines.values())}" for name in self.experiments.values()]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, object]:
        head = "".join(f"<th>{html.escape(label)}</th>" for label in self.lines.values())
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>{'<td>?</td>' * len(self.lines)}</tr>"
            for name in self.experiments.values()
        )
        hint = html.escape(_("Run this cell to predict."))
        page = f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table><p><em>{hint}</em></p>"
        bundle: dict[str, object] = {"text/plain": self._text(), "text/html": page}
        if in_kernel():
            drawn = self._widget()._repr_mimebundle_()
            view = "application/vnd.jupyter.widget-view+json"
            bundle[view] = drawn[view]
        return bundle


def _word(*, runs: bool) -> str:
    return _("runs") if runs else _("cached")


def _label(text: str, *, mono: bool = False) -> Any:
    import ipywidgets

    family = "font-family:monospace;" if mono else ""
    return ipywidgets.HTML(
        f"<div style='{family}font-size:78%;line-height:1.2;overflow-wrap:anywhere'>{html.escape(text)}</div>"
    )
