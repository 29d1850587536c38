"""Small tables for reading, as HTML and as text: nothing cut off, words to the left, the first column heads its row."""

import html
import re
from collections.abc import Sequence

__all__ = ["inline", "page", "text"]

_LEFT = "style='text-align:left;vertical-align:top;white-space:normal;max-width:46em'"


def page(rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> str:
    """Return the table as HTML; what stands in backticks is set as code."""
    top = "".join(f"<th scope='col' {_LEFT}>{html.escape(heading)}</th>" for heading in headings)
    head = f"<thead><tr>{top}</tr></thead>" if headings else ""
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


def text(rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> str:
    """Return the table as plain text, its columns aligned."""
    lines = [tuple(headings), *rows] if headings else list(rows)
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines
    )


def inline(words: str) -> str:
    """Return `words` as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words))


def _cells(row: Sequence[str]) -> list[str]:
    head, *rest = row
    return [f"<th scope='row' {_LEFT}>{inline(head)}</th>", *(f"<td {_LEFT}>{inline(cell)}</td>" for cell in rest)]
