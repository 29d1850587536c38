"""Data frames in a notebook: what a cell says is shown whole."""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["whole_cells"]


@contextmanager
def whole_cells() -> Iterator[None]:
    """Keep pandas from cutting texts off after 50 characters; as before at the end."""
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):
        yield
