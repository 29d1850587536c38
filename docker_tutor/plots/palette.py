"""One palette for the whole course: Okabe and Ito's, which colour-blind readers can tell apart.

A colour always means the same. Nothing is said by colour alone: hatching, markers or words go with it.
"""

__all__ = [
    "BLACK",
    "BLUE",
    "CACHED",
    "CONTAINER",
    "FAILED",
    "GREEN",
    "GREY",
    "HOST",
    "LIMIT",
    "ORANGE",
    "PURPLE",
    "REBUILT",
    "SKY",
    "VERMILION",
    "YELLOW",
]

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#767676"

CACHED = BLUE
REBUILT = ORANGE
FAILED = VERMILION
LIMIT = VERMILION
CONTAINER = BLUE
HOST = GREY
