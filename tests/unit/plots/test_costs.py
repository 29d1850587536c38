"""The picture of what four ways of running a program cost."""

from docker_tutor.plots.costs import machine_costs
from docker_tutor.topics.anatomy import Comparison, Costs


def test_a_way_that_did_not_run_has_no_bar_and_is_called_open() -> None:
    ran = Costs(1, 1, 0.2, 1 << 20, 0, 0.1, 0.05, "6.1")
    picture = machine_costs(Comparison(ran, ran, ran, 5, emulated=True))
    starts = picture.figure.axes[0]
    assert len(starts.patches) == 3
    assert [text.get_text() for text in starts.texts].count("open") == 1
    assert "virtual machine (QEMU, emulated) 200.0 ms" in picture.alt
    assert "User-Mode Linux" not in picture.alt
    assert list(picture.table.columns)[-1] == "virtual machine (QEMU, emulated)"
