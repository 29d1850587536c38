"""Texts in data frames are whole while a room is open in a notebook, and as before when it is closed."""

import pandas as pd
from matplotlib.figure import Figure

from docker_tutor.classroom.frames import whole_cells
from docker_tutor.plots.picture import Picture

LONG = "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.20.0.2:80"


def test_long_texts_are_whole_and_the_reader_gets_the_setting_back() -> None:
    before = pd.get_option("display.max_colwidth")
    with whole_cells():
        assert LONG in pd.DataFrame({"rule": [LONG]}).to_html()
    assert pd.get_option("display.max_colwidth") == before


def test_a_pictures_table_is_whole_anywhere() -> None:
    html = Picture(Figure(), "nothing", pd.DataFrame({"rule": [LONG]}))._repr_mimebundle_()["text/html"]
    assert LONG in html
