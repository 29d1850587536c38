"""What a student gets back: one page of HTML that says what was looked at and what was found.

Of a hidden claim it tells whether it held and what was found, never what was expected: the next class has it too.
"""

from html import escape

from docker_tutor.grading.findings import Finding, Outcome
from docker_tutor.grading.results import Result
from docker_tutor.i18n import _

__all__ = ["page"]

_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .5rem; text-align: left; vertical-align: top }
td:last-child, th:last-child { text-align: right; white-space: nowrap }
.held { color: #00634a } .failed { color: #9c3a00 }
small, pre { color: #555 } pre { white-space: pre-wrap; overflow-wrap: anywhere }
"""


def page(result: Result) -> str:
    """Return the page for one submission, complete in itself and without a script."""
    title = escape(f"{result.lab} · {result.student}")
    total = _("{points:g} of {most:g} points").format(points=result.points, most=result.max_points)
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>',
        f"<h1>{title}</h1><p><strong>{escape(total)}</strong></p>",
    ]
    if result.note:
        parts.append(f"<p>{escape(result.note)}</p>")
    parts += [_task(outcome) for outcome in result.outcomes]
    parts += _troubles(result)
    return "\n".join(parts) + "\n</html>\n"


def _task(outcome: Outcome) -> str:
    heading = f"<h2>{escape(outcome.task)}: {outcome.points:g} / {outcome.max_points:g}</h2>"
    head = "".join(f"<th>{escape(word)}</th>" for word in ("", _("claim"), _("points")))
    rows = "".join(_row(finding, outcome.reached(finding)) for finding in outcome.findings)
    return f"{heading}<table><tr>{head}</tr>{rows}</table>"


def _row(finding: Finding, reached: float) -> str:
    mark, kind = ("✓", "held") if finding.held else ("✗", "failed")
    said = [escape(finding.claim)]
    if not finding.held:
        for word, text in ((_("expected"), finding.expected), (_("found"), finding.found)):
            if text:
                said.append(f"<small>{escape(word)}: {escape(text)}</small>")
    elif reached < finding.points:
        said.append(f"<small>{escape(_('It was so before you began: by itself it earns nothing.'))}</small>")
    cells = (
        f'<td class="{kind}">{mark}</td>',
        f"<td>{'<br>'.join(said)}</td>",
        f"<td>{reached:g} / {finding.points:g}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _troubles(result: Result) -> list[str]:
    if not result.troubles:
        return []
    words = {"error": _("ended with an error"), "late": _("took too long"), "died": _("ended the process")}
    rows = (
        f"<p>{escape(_('Cell {number}').format(number=each.cell))} {escape(words.get(each.status, each.status))}</p>"
        f"<pre>{escape(each.text)}</pre>"
        for each in result.troubles
    )
    return [f"<h2>{escape(_('Cells that did not go well'))}</h2>", *rows]
