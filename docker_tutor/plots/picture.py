"""A figure that can also be read aloud: alt text, and the same data as a table."""

import base64
import html
import io
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from docker_tutor.i18n import _

__all__ = ["Picture"]


@dataclass(frozen=True)
class Picture:
    """What every plot function returns. Shown by Jupyter as an image with its alt text and folded data."""

    figure: Figure
    alt: str
    """One or two sentences that tell a person who cannot see it what the picture shows."""
    table: pd.DataFrame
    """The same data, at most a few dozen rows; column names carry their units."""

    @cached_property
    def png(self) -> bytes:
        """The figure as a PNG file."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        alt = html.escape(self.alt, quote=True)
        data = base64.b64encode(self.png).decode()
        image = f'<img alt="{alt}" src="data:image/png;base64,{data}" style="max-width:100%">'
        with pd.option_context("display.max_colwidth", None):
            table = self.table.to_html(index=False, border=0, float_format=lambda value: f"{value:.4g}")
        folded = f"<details><summary>{_('The same data as a table')}</summary>{table}</details>"
        return {"text/html": f"<figure style='margin:0'>{image}{folded}</figure>", "text/plain": self.alt}
