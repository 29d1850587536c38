"""Pictures of two machines in a swarm: the packet in the packet, and tasks that move."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.swarm_service import Failover
from docker_tutor.topics.swarm_tunnel import OUTER_BYTES, Frame, Tunnel

__all__ = ["service_failover", "vxlan_packet"]

ETHERNET_BYTES = 14
IPV4_BYTES = 20


def vxlan_packet(result: Tunnel) -> Picture:
    """Draw the first packet of the call as it was on the cable: what the machines read, and what travels inside."""
    frame = next((each for each in result.of("TCP") if "GET" in each.about), result.frames[0])
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    axes = figure.add_subplot()
    head = _("outside: machine to machine")
    inside = _("inside: container to container")
    widths = (2.5, 1.5, 1.7, 2.3, 2.5, 3.2)
    boxes = (
        (_("IP"), f"{frame.outer_source}\n→ {frame.outer_target}", IPV4_BYTES, BLUE),
        (_("UDP"), _("to port\n{port}").format(port=frame.outer_port), 8, BLUE),
        (_("VXLAN"), f"VNI\n{frame.vni}", 8, ORANGE),
        (_("Ethernet"), "\n→ ".join(frame.inner_macs), ETHERNET_BYTES, GREEN),
        (_("IP"), f"{frame.inner_source}\n→ {frame.inner_target}", IPV4_BYTES, GREEN),
        (frame.protocol, frame.about.replace(", ", "\n"), frame.inner_bytes - ETHERNET_BYTES - IPV4_BYTES, GREEN),
    )
    left = 0.0
    for width, (title, text, size, colour) in zip(widths, boxes, strict=True):
        _box(axes, left, width, title, text, _("{count} bytes").format(count=size), colour)
        left += width
    _brace(axes, 0, sum(widths[:3]), head, BLUE)
    _brace(axes, sum(widths[:3]), left, inside, GREEN)
    axes.set_xlim(-0.1, left + 0.1)
    axes.set_ylim(-0.45, 2.0)
    axes.axis("off")
    axes.set_title(_("One packet on the cable between the machines: {size} bytes").format(size=frame.outer_bytes))
    return Picture(figure, _alt(result, frame), result.to_frame())


def _alt(result: Tunnel, frame: Frame) -> str:
    words = _(
        "A row of six headers. Outside, from {outer} to {target}, UDP port {port}, VXLAN network {vni}; "
        "inside, an Ethernet frame from {inner} to {called}: {about}. The outer headers take {more} bytes."
    )
    return words.format(
        outer=frame.outer_source,
        target=frame.outer_target,
        port=frame.outer_port,
        vni=frame.vni,
        inner=frame.inner_source,
        called=result.called,
        about=frame.about,
        more=OUTER_BYTES,
    )


def _box(axes: Axes, left: float, width: float, title: str, text: str, size: str, colour: str) -> None:
    axes.add_patch(
        Rectangle((left + 0.03, 0), width - 0.06, 1.2, facecolor=colour, alpha=0.25, edgecolor=colour, linewidth=1.5)
    )
    axes.text(left + width / 2, 1.02, title, ha="center", va="center", fontsize=10, fontweight="bold")
    axes.text(left + width / 2, 0.47, text, ha="center", va="center", fontsize=9)
    axes.text(left + width / 2, -0.14, size, ha="center", va="center", fontsize=9, color="#444444")


def _brace(axes: Axes, left: float, right: float, text: str, colour: str) -> None:
    axes.plot((left + 0.05, left + 0.05, right - 0.05, right - 0.05), (1.3, 1.4, 1.4, 1.3), color=colour, linewidth=1.5)
    axes.text((left + right) / 2, 1.6, text, ha="center", va="center", fontsize=10)


def service_failover(result: Failover) -> Picture:
    """Draw how many tasks run where, from the moment at which the second machine's daemon is killed."""
    lead = min(-1.0, -0.1 * result.moved_after_s)
    times = [lead, *(each.after_s for each in result.samples), result.moved_after_s + 1]
    first = [result.before[0], *(each.first for each in result.samples), result.after[0]]
    second = [result.before[1], *(each.second for each in result.samples), result.after[1]]
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.step(times, first, where="post", color=BLUE, linewidth=2.5, label=_("first machine"))
    axes.step(times, second, where="post", color=ORANGE, linewidth=2.5, linestyle="--", label=_("second machine"))
    marks = (
        (0.0, _("dockerd killed"), VERMILION),
        (result.down_after_s, _("counted as down"), GREY),
        (result.moved_after_s, _("all replaced"), SKY),
    )
    for moment, text, colour in marks:
        axes.axvline(moment, color=colour, linestyle=":", linewidth=1.5)
        place = (moment, result.replicas + 0.25)
        plate = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.annotate(f"{text}\n{moment:.1f} s", place, ha="center", va="bottom", fontsize=9, bbox=plate)
    axes.set_ylim(-0.2, result.replicas + 1.1)
    axes.set_yticks(range(result.replicas + 1))
    axes.set_xlabel(_("seconds after the kill"))
    axes.set_ylabel(_("tasks running,\nas the manager says"))
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(_("A service of {count} tasks loses a machine").format(count=result.replicas), pad=14)
    words = _(
        "Tasks on two machines over time. Before the kill {one} and {two}; the second machine counts as down "
        "after {down:.1f} s, and after {moved:.1f} s all {count} run on the first."
    )
    alt = words.format(
        one=result.before[0],
        two=result.before[1],
        down=result.down_after_s,
        moved=result.moved_after_s,
        count=result.replicas,
    )
    return Picture(figure, alt, result.to_frame())
