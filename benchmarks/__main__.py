"""Run every benchmark, or those named (`python -m benchmarks imports engine`), and print one table.

Numbers among the names choose notebooks (`python -m benchmarks course 00 06`) where a benchmark is about them.
"""

import importlib
import inspect
import pkgutil
import sys

from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.rows import Row


def main(names: list[str]) -> int:
    """Measure and print; return 1 when a goal is missed."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    measured: list[Row] = []
    notebooks = [name for name in names if name[0].isdigit()]
    names = [name for name in names if name not in notebooks]
    for module in pkgutil.iter_modules(benchmarks.__path__):
        found = importlib.import_module(f"benchmarks.{module.name}") if not module.name.startswith("_") else None
        if hasattr(found, "rows") and (not names or module.name in names):
            console.print(f"· {module.name}", style="dim")
            measured += found.rows(notebooks) if inspect.signature(found.rows).parameters else found.rows()
    table = Table(title="Ours ÷ plain, medians of one run")
    for heading in ("what", "runs", "plain", "ours", "ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in measured:
        both = (row.shown(row.plain_s), row.shown(row.ours_s))
        table.add_row(row.what, str(row.runs), *both, f"{row.ratio:.3f}", row.goal, "✓" if row.met else "✗")
    console.print(table)
    return 0 if all(row.met for row in measured) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
