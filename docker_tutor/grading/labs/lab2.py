"""Lab 2: what a container is made from, who makes it, and why one is not made. Chapter 2."""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import is_there, last_line, run, running
from docker_tutor.grading.site import Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _

__all__ = ["LAB"]


def _created_values(draw: Draw) -> Mapping[str, Any]:
    return {"name": draw.name("name"), "code": draw.token("code"), "owner": draw.name("owner")}


def _created(site: Site, me: Values) -> Iterator[Found]:
    box = site.box(me.name)
    yield Found("there", box.there, box.state, _("a container {name}").format(name=me.name))
    if not box.there:
        return
    fresh = box.attrs["State"]["Status"] == "created"
    yield Found("fresh", fresh, box.state, _("created, and never started"))
    labels = box.config["Labels"] or {}
    yield Found("label", labels.get("owner") == me.owner, f"owner={labels.get('owner')}", f"owner={me.owner}")
    set_to = next((each for each in box.config["Env"] or [] if each.startswith("CODE=")), _("no CODE"))
    yield Found("variable", set_to == f"CODE={me.code}", set_to, f"CODE={me.code}")
    if not fresh:
        return
    said = site.docker("start", "--attach", box.id)
    yield Found("prints", said.text.strip() == me.code, _("it wrote: {text}").format(text=last_line(said)))


def _onelayer_values(draw: Draw) -> Mapping[str, Any]:
    return {"image": draw.name("image"), "token": draw.token("token"), "uid": draw.number("uid", 1100, 1900)}


def _onelayer(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    attrs = site.image(me.image)
    count = len(attrs["RootFS"].get("Layers") or [])
    yield Found("layers", count == 1, str(count), "1")
    said = run(site, me.image)
    yield Found("prints", said.text.strip() == me.token, last_line(said), me.token)
    user = (attrs["Config"] or {}).get("User") or "root"
    yield Found("user", user.partition(":")[0] == str(me.uid), user, str(me.uid))
    kept = run(site, me.image, "/message", options=("--entrypoint", "cat"))
    yield Found("file", kept.text.strip() == me.token, _("/message holds: {text}").format(text=last_line(kept)))


def _spec_values(draw: Draw) -> Mapping[str, Any]:
    capability, bit = draw.one_of("capability", [("NET_BIND_SERVICE", 10), ("SETUID", 7), ("KILL", 5), ("CHOWN", 0)])
    return {"name": draw.name("name"), "files": draw.number("files", 64, 512, 32), "capability": capability, "bit": bit}


def _spec(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    status = dict(re.findall(r"^(\w+):\s+(\S+)", site.inside(box, "cat", "/proc/1/status").text, re.MULTILINE))
    bounds = int(status.get("CapBnd", "0"), 16)
    only = bounds == 1 << me.bit
    counted = _("{count} capabilities, that one {whether} them")
    whether = _("among") if bounds >> me.bit & 1 else _("not among")
    yield Found("capability", only, counted.format(count=bounds.bit_count(), whether=whether), me.capability)
    new = status.get("NoNewPrivs") == "1"
    yield Found("privileges", new, _("NoNewPrivs: {value}").format(value=status.get("NoNewPrivs")), "1")
    limits = site.inside(box, "cat", "/proc/1/limits").text
    found = re.search(r"^Max open files\s+(\d+)\s+(\d+)", limits, re.MULTILINE)
    files = found.groups() if found else ("?", "?")
    both = _("soft {soft}, hard {hard}").format(soft=files[0], hard=files[1])
    yield Found("files", files == (str(me.files),) * 2, both, str(me.files))
    root = site.inside(box, "head", "-c", "0", "/proc/1/environ").ok and status.get("Uid") == "0"
    yield Found("root", root, _("process 1 runs as user {uid}").format(uid=status.get("Uid")))


def _start_values(draw: Draw) -> Mapping[str, Any]:
    return {"name": draw.name("name"), "token": draw.token("token"), "left": draw.token("left")}


def _script(me: Values) -> str:
    return f"#!/bin/sh\n# {me.left}\necho ready {me.token}\nexec sleep 9999\n"


def _start_prepare(site: Site, me: Values) -> None:
    content = _script(me).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("opt/start")
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    site.prepare("create", "--name", me.name, "--entrypoint", "/opt/start", "alpine:3.19")
    site.client.api.put_archive(me.name, "/", archive.getvalue())
    site.prepare("start", me.name)


def _start(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    said = site.docker("logs", box.id).text
    ready = f"ready {me.token}" in said.splitlines()
    yield Found("ready", ready, said[-80:] or _("an empty log"), _("the line that its script writes"))
    script = site.inside(box, "cat", "/opt/start").text.strip()
    mode = site.inside(box, "stat", "-c", "%A", "/opt/start").text
    first = site.inside(box, "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline").text
    whole = script == _script(me).strip()
    told = _("the script in the container, and what runs: {words}").format(words=first[:80])
    yield Found("script", whole and bool(mode), told)


LAB = LabTasks(
    number=2,
    images=("alpine:3.19",),
    tasks=(
        Task(
            name="created",
            values=_created_values,
            look=_created,
            claims=(
                Claim("there", _("the container is there")),
                Claim("fresh", _("it has never been started")),
                Claim("label", _("it carries its label")),
                Claim("variable", _("its variable is set")),
                Claim("prints", _("started, it writes its variable and nothing else"), hidden=True),
            ),
            sheet=_(
                "Make a container **«name»** from `alpine:3.19`, and do not start it. It carries the label `owner=«owner»`, its environment has `CODE=«code»`, and its command is such that, once started, it writes the value that `CODE` has *in the container*, and ends."
            ),
            hints=(
                _("`docker run` is two calls to the engine. Which one is wanted here?"),
                _(
                    "Who replaces `$CODE`: the shell that you type in, or one in the container? The second needs a `sh -c`."
                ),
                _("In single quotes, your own shell leaves `$CODE` alone."),
            ),
        ),
        Task(
            name="onelayer",
            values=_onelayer_values,
            look=_onelayer,
            claims=(
                Claim("there", _("the image is there")),
                Claim("layers", _("it has one layer"), 2),
                Claim("prints", _("its default command writes the message")),
                Claim("user", _("it runs as the user that is wanted")),
                Claim("file", _("the message is a file of the image"), hidden=True),
            ),
            sheet=_(
                "Make an image **«image»** that has exactly *one* layer. It holds what `alpine:3.19` holds, and a file `/message` with the line `«token»`; run without arguments it writes that file's content, as user **«uid»**."
            ),
            hints=(
                _(
                    "A Dockerfile that begins with `FROM alpine:3.19` begins with one layer, and each `RUN` or `COPY` adds another."
                ),
                _(
                    "A container's whole file system can be had as one tar (`docker export`), and a tar can become an image (`docker import`)."
                ),
                _(
                    "`docker import --change 'CMD …' --change 'USER …'` gives it its settings; a stage `FROM scratch` with one `COPY --from` does as well."
                ),
            ),
        ),
        Task(
            name="spec",
            values=_spec_values,
            look=_spec,
            claims=(
                Claim("runs", _("the container runs")),
                Claim("capability", _("it has that one capability and no other"), 2),
                Claim("privileges", _("its programs cannot gain privileges")),
                Claim("files", _("its limit of open files is as wanted")),
                Claim("root", _("all that with a program that runs as root"), hidden=True),
            ),
            sheet=_(
                "Start a container **«name»** from `alpine:3.19` that stays alive, as root. In the `config.json` that the runtime gets, its process has one single capability, `CAP_«capability»`, cannot gain privileges (`noNewPrivileges`), and may have **«files»** files open, hard and soft."
            ),
            hints=(
                _(
                    "Three flags of `docker run`: one takes capabilities away and one gives them, one is a security option, one sets a ulimit."
                ),
                _("`--cap-add` adds to fourteen that are there by default. Take away all, then add."),
                _(
                    "`docker exec NAME cat /proc/1/status /proc/1/limits` shows what the kernel was told: CapBnd, NoNewPrivs, Max open files."
                ),
            ),
        ),
        Task(
            name="wontstart",
            values=_start_values,
            prepare=_start_prepare,
            look=_start,
            claims=(
                Claim("runs", _("the container runs"), 2),
                Claim("ready", _("its script has written its line")),
                Claim("script", _("the script is the one that it was given"), hidden=True),
            ),
            sheet=_(
                "The container **«name»** cannot be started. Find out why, and make it run: a container of this name whose program is the script `/opt/start` that lies in it now, unchanged, and whose log has the script's `ready` line."
            ),
            hints=(
                _(
                    "`docker start` says what it failed at; `docker inspect --format '{{json .State}}'` keeps it. There are no logs: nothing ever ran."
                ),
                _(
                    "126 is “found, and may not be executed”. `docker cp NAME:/opt/start -` gives the file out of a container that does not run, as a tar, with its mode."
                ),
                _("`docker cp` also goes the other way, and keeps the mode."),
            ),
        ),
    ),
)
