"""The two stacks, drawn: what lies under an application in a virtual machine and in a container."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.process_tree import ProcessTree

__all__ = ["two_stacks"]


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    key: str
    text: str
    colour: str
    ghost: bool = False


def two_stacks(tree: ProcessTree) -> Picture:
    """Draw a stack of two virtual machines beside one of two containers, with the names and PIDs of a real one."""
    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(4.6, 1.15))
    _draw(figure.add_subplot(grid[0, 0]), _("Virtual machines"), _virtual_machines())
    _draw(figure.add_subplot(grid[0, 1]), _("Containers, as found on this engine"), _containers(tree))
    legend = _legend(tree)
    _explain(figure.add_subplot(grid[1, :]), legend)
    table = pd.DataFrame(legend, columns=[_("box"), _("what it is"), _("in which stack")])
    alt = _(
        "Two stacks of boxes. Virtual machines: hardware, host kernel, hypervisor, and on it for each machine a "
        "kernel, libraries and an application of its own. Containers: hardware, one kernel, and on it for each "
        "container its libraries and application, with a shim at its side; {engine} run beside them and not below. "
        "runc is drawn with a broken line: {gone}."
    ).format(
        engine=_(" and ").join(tree.engine) or _("the engine's programs"),
        gone=_("it is no longer running") if tree.runtime_gone else _("it is still running"),
    )
    return Picture(figure, alt, table)


def _virtual_machines() -> list[_Box]:
    boxes = [
        _Box(0, 0, 6, 0.9, "1", _("hardware"), GREY),
        _Box(0, 1, 6, 0.9, "2", _("host kernel"), ORANGE),
        _Box(0, 2, 6, 0.9, "3", _("hypervisor, one process per machine"), PURPLE),
    ]
    for x, which in ((0.0, "A"), (3.05, "B")):
        boxes += [
            _Box(x, 3, 2.95, 0.9, "4", _("guest kernel"), ORANGE),
            _Box(x, 4, 2.95, 0.9, "5", _("libraries"), SKY),
            _Box(x, 5, 2.95, 0.9, "6", _("application {which}").format(which=which), BLUE),
        ]
    return boxes


def _containers(tree: ProcessTree) -> list[_Box]:
    process, shim = tree.chain[0], tree.chain[1]
    beside = "\n".join(tree.engine) or "dockerd"
    boxes = [
        _Box(0, 0, 6, 0.9, "1", _("hardware"), GREY),
        _Box(0, 1, 6, 0.9, "2", _("host kernel — the only one"), ORANGE),
        _Box(0, 2, 1.6, 1.9, "7", beside, GREEN),
        _Box(0, 4, 1.6, 1.9, "9", _("runc\n(gone)") if tree.runtime_gone else "runc", GREY, ghost=True),
    ]
    titles = (
        (f"{process.name}\nPID\n{process.pid}", f"shim\nPID\n{shim.pid}"),
        (_("application\nB"), _("shim")),
    )
    for x, (application, keeper) in zip((1.75, 3.95), titles, strict=True):
        boxes += [
            _Box(x, 2, 0.75, 1.9, "8", keeper, PURPLE),
            _Box(x + 0.8, 2, 1.25, 1.9, "5", _("libraries"), SKY),
            _Box(x + 0.8, 4, 1.25, 1.9, "6", application, BLUE),
        ]
    return boxes


def _draw(axes: Axes, title: str, boxes: list[_Box]) -> None:
    for box in boxes:
        face = "none" if box.ghost else box.colour
        style = "--" if box.ghost else "-"
        patch = Rectangle((box.x, box.y), box.width, box.height, facecolor=face, alpha=None if box.ghost else 0.3)
        patch.set(edgecolor=box.colour, linewidth=1.2, linestyle=style)
        axes.add_patch(patch)
        axes.text(box.x + box.width / 2, box.y + box.height / 2, box.text, ha="center", va="center", fontsize=10)
        axes.text(box.x + 0.07, box.y + box.height - 0.07, box.key, ha="left", va="top", fontsize=8, weight="bold")
    axes.set_xlim(-0.05, 6.05)
    axes.set_ylim(-0.05, 6)
    axes.set_axis_off()
    axes.set_title(title)


def _explain(axes: Axes, legend: list[tuple[str, str, str]]) -> None:
    half = (len(legend) + 1) // 2
    for place, (key, meaning, _stack) in enumerate(legend):
        column, line = divmod(place, half)
        axes.text(column * 0.5, 1 - line / half, f"{key}  {meaning}", ha="left", va="top", fontsize=8.5, wrap=False)
    axes.set_axis_off()


def _legend(tree: ProcessTree) -> list[tuple[str, str, str]]:
    both, machines, containers = _("both"), _("virtual machines"), _("containers")
    engine = ", ".join(tree.engine) or "dockerd"
    return [
        ("1", _("processors, memory, disks, network cards"), both),
        ("2", _("the kernel that owns the hardware; every container asks this one"), both),
        ("3", _("pretends to be hardware, so that a second kernel boots on it"), machines),
        ("4", _("a whole operating system that believes it owns a machine"), machines),
        ("5", _("files that the application needs, from libc to Python"), both),
        ("6", _("the program that somebody wanted to run"), both),
        ("7", _("{engine}: give orders, keep the books; nothing runs on them").format(engine=engine), containers),
        ("8", _("{name}: parent of one container").format(name=tree.parent), containers),
        ("9", _("sets up namespaces and cgroups, starts the program, and exits"), containers),
    ]
