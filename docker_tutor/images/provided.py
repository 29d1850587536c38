"""What `ensure` answers: an image, and where it came from."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Provided", "Source"]

Source = Literal["local", "registry", "stand-in", "bundle"]


@dataclass(frozen=True, slots=True)
class Provided:
    """One image that is now on the engine."""

    name: str
    """The name that was asked for, with its tag."""
    source: Source
    """`local`: it was here; `registry`: it was pulled; `stand-in`: the course's own recipe made it;
    `bundle`: it came in a file."""
    image_id: str
    """The engine's id of it: works in place of a name wherever the name itself may not be taken."""
    size_bytes: int
    """The size that the engine reports (what it means differs between image stores)."""
    seconds: float
    """How long it took to have it."""
    note: str = ""
    """One sentence for the reader, empty when there is nothing to say."""
