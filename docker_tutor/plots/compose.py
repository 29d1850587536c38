"""Pictures of Compose: a project coming up in order, and what each command leaves of containers, networks, volumes."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from docker_tutor.i18n import _
from docker_tutor.plots.palette import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from docker_tutor.plots.picture import Picture
from docker_tutor.topics.compose import Effect
from docker_tutor.topics.compose_timeline import Timeline

__all__ = ["compose_effects", "compose_timeline"]

LOOKS = {"running": GREEN, "exited": ORANGE, "created": SKY, "gone": "white", "there": BLUE}


def compose_timeline(result: Timeline) -> Picture:
    """Draw a lane for each service: created and waiting, started and not healthy yet, ready. Seconds."""
    moments = [m for t in result.services for m in (t.created_s, t.started_s, t.healthy_s) if m is not None]
    end = max(moments, default=1.0) * 1.25 + 0.3
    figure = Figure(figsize=(10, 0.75 * len(result.services) + 1.6), layout="constrained")
    axes = figure.add_subplot()
    for y, times in enumerate(result.services):
        started = end if times.started_s is None else times.started_s
        ready = times.healthy_s if times.healthy_s is not None else started
        parts = (
            (times.created_s, started, GREY, "", _("created, waits") if times.waits_for else _("created")),
            (started, ready, ORANGE, "//", _("starting")),
            (ready, end, GREEN, "", _("healthy") if times.healthy_s is not None else _("runs")),
        )
        for begin, until, colour, hatch, word in parts:
            if until - begin <= 0:
                continue
            axes.barh(y, until - begin, left=begin, height=0.55, color=colour, alpha=0.5, hatch=hatch, edgecolor=colour)
            if until - begin > end * 0.11:
                axes.text((begin + until) / 2, y, word, ha="center", va="center", fontsize=9)
        if times.healthy_s is not None:
            axes.axvline(times.healthy_s, color=GREEN, linestyle="--", linewidth=1)
            text = _("{service} is healthy: {at:.1f} s").format(service=times.service, at=times.healthy_s)
            axes.annotate(text, (times.healthy_s, y - 0.42), (4, 0), textcoords="offset points", fontsize=8)
    axes.set_yticks(range(len(result.services)), [times.service for times in result.services])
    axes.set_ylim(len(result.services) - 0.4, -0.75)
    axes.set_xlim(0, end)
    axes.set_xlabel(_("seconds since the first container was created"))
    axes.set_title(_("docker compose up: who waits for whom"))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    told = "; ".join(
        _("{service} started at {at:.1f} s").format(service=times.service, at=times.started_s)
        + (_(", healthy at {at:.1f} s").format(at=times.healthy_s) if times.healthy_s is not None else "")
        for times in result.services
        if times.started_s is not None
    )
    return Picture(figure, _("Lanes of services coming up: {told}.").format(told=told), result.to_frame())


def compose_effects(effects: Sequence[Effect]) -> Picture:
    """Draw a table of objects by commands: the state of each container, network and volume after each command."""
    rows = [
        (kind, name)
        for kind in ("containers", "networks", "volumes")
        for name in sorted({name for e in effects for name in (*getattr(e.before, kind), *getattr(e.after, kind))})
    ]
    figure = Figure(figsize=(max(8, 1.08 * len(effects) + 2), 0.42 * len(rows) + 1.5), layout="constrained")
    axes = figure.add_subplot()
    cells: list[list[str]] = []
    for y, (kind, name) in enumerate(rows):
        cells.append([])
        for x, each in enumerate(effects):
            word, colour = _cell(each, kind, name)
            cells[-1].append(word)
            changed = any(change[:2] == (kind.removesuffix("s"), name) for change in each.changes)
            edge, width = (VERMILION, 2.0) if changed else (GREY, 0.5)
            axes.add_patch(Rectangle((x + 0.04, y + 0.08), 0.92, 0.84, facecolor=colour, alpha=0.35))
            axes.add_patch(Rectangle((x + 0.04, y + 0.08), 0.92, 0.84, fill=False, edgecolor=edge, linewidth=width))
            axes.text(x + 0.5, y + 0.5, ("• " if changed else "") + word, ha="center", va="center", fontsize=8.5)
    axes.set_xlim(0, len(effects))
    axes.set_ylim(len(rows), 0)
    names = [each.command.removeprefix("docker compose ") for each in effects]
    axes.set_xticks([x + 0.5 for x in range(len(effects))], [_wrapped(name) for name in names], fontsize=9)
    axes.xaxis.tick_top()
    objects = [f"{kind.removesuffix('s')} {name}" for kind, name in rows]
    axes.set_yticks([y + 0.5 for y in range(len(rows))], objects, fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(_("after each command; a dot and a thick frame: the command changed it"))
    told = "; ".join(_("{command}: {count} changes").format(command=e.command, count=len(e.changes)) for e in effects)
    table = pd.DataFrame(cells, index=objects, columns=names)
    alt = _("A table of the project's objects after each command. {told}.").format(told=told)
    return Picture(figure, alt, table.rename_axis(_("object")).reset_index())


def _cell(each: Effect, kind: str, name: str) -> tuple[str, str]:
    now = getattr(each.after, kind).get(name)
    if now is None:
        return _("—"), LOOKS["gone"]
    if kind != "containers":
        return _("there"), LOOKS["there"]
    old, new = each.before.container_ids.get(name), each.after.container_ids.get(name)
    fresh = old is not None and old != new
    return now + (_(" (new)") if fresh else ""), LOOKS.get(now, GREY)


def _wrapped(name: str) -> str:
    words, lines = name.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 14:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
