"""A question to answer before a cell is run.

In a notebook it is a widget: one button for each choice, reached with Tab and pressed with Enter or Space.
Where no front end draws widgets it is a text, and `Prediction.choose` does what a button does. Nobody has to
answer: without an answer no line of any later cell changes.
"""

import html
from typing import TYPE_CHECKING

from docker_tutor.classroom import current, records
from docker_tutor.classroom.bars import in_kernel
from docker_tutor.classroom.tables import inline
from docker_tutor.i18n import _

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["Prediction", "predict"]


class Prediction:
    """A question, the answer given to it, and how that compares with what turned out."""

    def __init__(self, question: str, choices: tuple[str, ...], answer: int | None) -> None:
        """Ask `question`; `answer` is the place of the right choice, counted from 0, or None for an open question."""
        if len(choices) < 2:
            raise ValueError(f"predict({question!r}) needs two choices or more")
        if answer is not None and not 0 <= answer < len(choices):
            raise ValueError(f"predict({question!r}): answer={answer}, and there are {len(choices)} choices from 0")
        self.question = question
        self.choices = choices
        self.answer = answer
        self.chosen: int | None = None
        self._out = False
        self._buttons: list[ipywidgets.Button] = []
        self._reply: ipywidgets.HTML | None = None

    def choose(self, number: int) -> None:
        """Answer with choice `number`, counted from 1 as shown. Raises ValueError if there is no such choice."""
        if not 1 <= number <= len(self.choices):
            raise ValueError(f"choose a number from 1 to {len(self.choices)}")
        self.chosen = number - 1
        for place, button in enumerate(self._buttons):
            mark = "● " if place == self.chosen else ""
            button.description = f"{mark}{self._numbered(place)}"
        room = current.room()
        if room is not None:
            entry = records.Record(
                room.name, room.scope, "prediction", self.question, self.right(), self.choices[self.chosen]
            )
            records.append(entry)
        self._say(self.comparison() if self._out else _("Noted. Now run the cells below and see."))

    def right(self) -> bool | None:
        """Return whether the answer is right; None without an answer or for an open question."""
        if self.chosen is None or self.answer is None:
            return None
        return self.chosen == self.answer

    def comparison(self) -> str | None:
        """Say how the answer compares with what turned out; None without an answer."""
        if self.chosen is None:
            return None
        mine = self.choices[self.chosen]
        if self.answer is None:
            return _("You predicted: {mine}.").format(mine=mine)
        if self.right():
            return _("You predicted: {mine} — and so it is.").format(mine=mine)
        truth = self.choices[self.answer]
        return _("You predicted: {mine} — it turned out: {truth}.").format(mine=mine, truth=truth)

    def turned_out(self) -> str | None:
        """Say how the answer compares, in the widget as well, and remember that the truth is out."""
        self._out = True
        line = self.comparison()
        self._say(line)
        return line

    def _say(self, line: str | None) -> None:
        if self._reply is not None and line is not None:
            self._reply.value = f"<div role='status'>{inline(line)}</div>"

    def _numbered(self, place: int) -> str:
        return f"{place + 1}. {self.choices[place]}".replace("`", "")

    def _text(self) -> str:
        listed = "\n".join(f"  {self._numbered(place)}" for place in range(len(self.choices)))
        return f"{self.question}\n{listed}"

    def _widget(self) -> "ipywidgets.VBox":
        import ipywidgets

        wide = ipywidgets.Layout(
            width="auto",
            max_width="44em",
            height="auto",
            min_height="2.2em",
            display="flex",
            justify_content="flex-start",
        )
        self._buttons = [
            ipywidgets.Button(description=self._numbered(place), layout=wide, tooltip=self.choices[place])
            for place in range(len(self.choices))
        ]
        for number, button in enumerate(self._buttons, start=1):
            button.on_click(lambda _button, number=number: self.choose(number))
        self._reply = ipywidgets.HTML(f"<div role='status'>{html.escape(_('Choose one, then run on.'))}</div>")
        asked = ipywidgets.HTML(f"<p style='margin:0 0 .4em'><strong>{inline(self.question)}</strong></p>")
        return ipywidgets.VBox([asked, *self._buttons, self._reply])

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, object]:
        items = "".join(f"<li>{inline(choice)}</li>" for choice in self.choices)
        hint = html.escape(_("Run this cell to choose an answer."))
        page = f"<p><strong>{inline(self.question)}</strong></p><ol>{items}</ol><p><em>{hint}</em></p>"
        bundle: dict[str, object] = {"text/plain": self._text(), "text/html": page}
        if in_kernel():
            drawn = self._widget()._repr_mimebundle_()
            view = "application/vnd.jupyter.widget-view+json"
            bundle[view] = drawn[view]
        return bundle


def predict(question: str, *choices: str, answer: int | None = None) -> Prediction:
    """Ask the reader to predict what the next cells will show.

    `answer` is the place of the right choice, counted from 0; None for a question that only the reader's own
    engine can answer. The next `check` that holds tells how the answer compares. Raises ValueError for fewer
    than two choices.
    """
    asked = Prediction(question, choices, answer)
    current.await_answer(asked)
    return asked
