"""Lab 1: what a container may have, what it shares, and what it has for itself. Chapter 1."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import running
from docker_tutor.grading.site import Box, Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["LAB"]


def _limits_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "name": draw.name("name"),
        "mib": draw.number("mib", 40, 96, 8),
        "cpus": draw.one_of("cpus", ["0.25", "0.35", "0.45", "0.6", "0.75"]),
        "pids": draw.number("pids", 20, 60, 5),
    }


def _limits(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    memory = int(box.host["Memory"] or 0)
    yield Found("memory", memory == me.mib * MiB, _mib(memory), f"{me.mib} MiB")
    swap = int(box.host["MemorySwap"] or 0)
    accounted = bool(site.client.info().get("SwapLimit"))
    no_swap = memory > 0 and (swap == memory or not accounted)
    yield Found("swap", no_swap, _("memory and swap together: {size}").format(size=_mib(swap)), _("memory and no swap"))
    cpus = _cpus(box)
    yield Found("cpu", abs(cpus - float(me.cpus)) < 0.005, _("{cpus:g} CPUs").format(cpus=cpus), f"{me.cpus} CPUs")
    pids = int(box.host["PidsLimit"] or 0)
    yield Found("pids", pids == me.pids, str(pids or _("no limit")), str(me.pids))
    greedy = site.inside(
        box, "sh", "-c", f"dd if=/dev/zero of=/dev/null bs={me.mib + 32}M count=1; exit $?", timeout_s=60
    )
    killed = greedy.code == 137
    yield Found("killed", killed, _("a program in {name} was given more than its limit").format(name=me.name))


def _neighbour_values(draw: Draw) -> Mapping[str, Any]:
    return {"web": draw.name("web"), "friend": draw.name("friend"), "token": draw.token("token")}


def _neighbour_prepare(site: Site, me: Values) -> None:
    serve = f"mkdir /www && echo {me.token} > /www/index.html && exec httpd -f -p 127.0.0.1:8000 -h /www"
    site.prepare("run", "--detach", "--name", me.web, "alpine:3.19", "sh", "-c", serve)


def _neighbour(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.friend)
    yield runs
    if not runs.held:
        return
    page = site.ask("http://127.0.0.1:8000/", f"container:{box.id}", within_s=1)
    reached = page.ok and page.text == me.token
    yield Found("net", reached, page.text or _("no answer"), _("its localhost:8000 answers with the page"))
    seen = site.probe("ps", "-o", "args", options=("--pid", f"container:{box.id}"))
    httpd = "httpd -f -p 127.0.0.1:8000" in seen.text
    both = _("the process list of {name}: httpd {seen}")
    yield Found("pid", httpd, both.format(name=me.friend, seen=_("is in it") if httpd else _("is not in it")), "httpd")
    web = site.box(me.web)
    own = web.running and box.id != web.id and str(box.config["Hostname"]) != ""
    address = next((each["IPAddress"] for each in web.networks.values() if each.get("IPAddress")), "") if own else ""
    shut = bool(address) and not site.ask(f"http://{address}:8000/", "bridge", within_s=1).ok
    yield Found("closed", shut, _("who else can reach {web}, or whether it still runs").format(web=me.web))


def _hungry_values(draw: Draw) -> Mapping[str, Any]:
    need = draw.number("need", 32, 56, 4)
    return {"name": draw.name("name"), "token": draw.token("token"), "need": need, "cap": need + 40, "low": need - 16}


def _hungry_words(me: Values) -> list[str]:
    needs = f"dd if=/dev/zero of=/dev/null bs={me.need}M count=1"
    return ["sh", "-c", f"{needs} && echo ready {me.token} && exec sleep 9999"]


def _hungry_prepare(site: Site, me: Values) -> None:
    low = f"{me.low}m"
    words = ("--memory", low, "--memory-swap", low, "alpine:3.19", *_hungry_words(me))
    site.prepare("run", "--name", me.name, *words)  # not detached: it has ended when the student begins


def _hungry(site: Site, me: Values) -> Iterator[Found]:
    ready = f"ready {me.token}"

    def settled(box: Box) -> bool:
        return not box.running or ready in site.docker("logs", box.id).text.splitlines()

    box = site.settled(me.name, settled, within_s=4)
    yield Found("runs", box.running, box.state, _("{name} runs").format(name=me.name))
    if not box.running:
        return
    said = site.docker("logs", box.id).text
    wanted = _("the line that it writes when it has started")
    yield Found("ready", ready in said.splitlines(), said[-80:] or _("an empty log"), wanted)
    memory = int(box.host["Memory"] or 0)
    limited = 0 < memory <= me.cap * MiB
    yield Found("limited", limited, _mib(memory), _("a limit, {mib} MiB at most").format(mib=me.cap))
    yield Found(
        "same", box.config["Cmd"] == _hungry_words(me), _("the program that runs in {name}").format(name=me.name)
    )


def _apart_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "name": draw.name("name"),
        "host": draw.name("host"),
        "uid": draw.number("uid", 1100, 1900),
        "mib": draw.number("mib", 3, 9),
    }


def _apart(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    host = site.inside(box, "hostname").text
    yield Found("host", host == me.host, host, me.host)
    status = site.inside(box, "cat", "/proc/1/status").text
    uid = next((line.split()[1] for line in status.splitlines() if line.startswith("Uid:")), "?")
    yield Found("user", uid == str(me.uid), _("process 1 runs as user {uid}").format(uid=uid), str(me.uid))
    wrote = site.docker("exec", "--user", "0", box.id, "touch", "/written-by-the-check")
    shut = not wrote.ok and "Read-only" in wrote.text
    yield Found(
        "readonly", shut, _("root could write to /") if wrote.ok else wrote.text[-80:], _("nobody can write to /")
    )
    mounts = site.inside(box, "cat", "/proc/mounts").text
    scratch = re.search(r"^\S+ /scratch (\w+)", mounts, re.MULTILINE)
    kind = scratch[1] if scratch else _("no mount")
    yield Found("scratch", kind == "tmpfs", _("/scratch: {kind}").format(kind=kind), _("memory, mounted at /scratch"))
    if kind != "tmpfs":
        return
    script = f"head -c {me.mib - 1}m /dev/zero > /scratch/a && ! head -c 2m /dev/zero > /scratch/b"
    full = site.docker("exec", "--user", str(me.uid), box.id, "sh", "-c", script)
    yield Found("size", full.ok, _("how much fits into /scratch, and whether user {uid} may write").format(uid=me.uid))


def _mib(size: int) -> str:
    return _("no limit") if size <= 0 else f"{size / MiB:g} MiB"


def _cpus(box: Box) -> float:
    """Return the CPU limit, set as `--cpus` or as a quota and a period."""
    if box.host["NanoCpus"]:
        return int(box.host["NanoCpus"]) / 1e9
    return int(box.host["CpuQuota"] or 0) / int(box.host["CpuPeriod"] or 100_000)


LAB = LabTasks(
    number=1,
    images=("alpine:3.19",),
    tasks=(
        Task(
            name="limits",
            values=_limits_values,
            look=_limits,
            claims=(
                Claim("runs", _("the container runs")),
                Claim("memory", _("its memory is limited as wanted")),
                Claim("swap", _("it gets no swap beside it")),
                Claim("cpu", _("its CPU time is limited as wanted")),
                Claim("pids", _("its number of processes is limited as wanted")),
                Claim("killed", _("the memory limit bites"), hidden=True),
            ),
            sheet=_(
                "Start a container **«name»** from `alpine:3.19` that stays alive (let it `sleep`). It may have "
                "**«mib» MiB** of memory and no swap beside it, **«cpus»** of a CPU, and at most **«pids»** processes."
            ),
            hints=(
                _("`docker run --help` lists a flag for each of the four: look for memory, swap, cpus and pids."),
                _("`--memory-swap` is memory and swap together: with no swap, which number is that?"),
                _("`docker inspect --format '{{json .HostConfig}}'` tells what is in force: sizes are bytes."),
            ),
        ),
        Task(
            name="neighbour",
            values=_neighbour_values,
            prepare=_neighbour_prepare,
            look=_neighbour,
            claims=(
                Claim("runs", _("the second container runs")),
                Claim("net", _("it reaches the web server as its own localhost"), 2),
                Claim("pid", _("it sees the web server's process")),
                Claim("closed", _("the first container is as it was, and still reached by nobody else"), hidden=True),
            ),
            sheet=_(
                "The container **«web»** is there; its web server listens on its own `127.0.0.1:8000`, where nobody "
                "else reaches it. Leave it as it is, and start a second container **«friend»** (from `alpine:3.19`, and "
                "alive) that reaches the server as *its* `localhost:8000` and sees the server's process in `ps`."
            ),
            hints=(
                _("Publishing a port does not help: the server listens on 127.0.0.1 of *its* network namespace."),
                _("A container can be put into a namespace of another one. Which two kinds are wanted here?"),
                _("`docker run --network container:NAME` shares one of them; the other has a flag of the same form."),
            ),
        ),
        Task(
            name="hungry",
            values=_hungry_values,
            prepare=_hungry_prepare,
            look=_hungry,
            claims=(
                Claim("runs", _("the container runs")),
                Claim("ready", _("it has come to its ready line")),
                Claim("limited", _("it is still limited")),
                Claim("same", _("it runs the program that it was given"), hidden=True),
            ),
            sheet=_(
                "The container **«name»** was started and ended at once. Find out why, and make it run: a container of "
                "this name, with the same image and the same command, whose log has its `ready` line. It has to stay "
                "limited: **«cap» MiB** of memory at most."
            ),
            hints=(
                _("How did it end? `docker inspect --format '{{json .State}}'` has an exit code and more."),
                _("137 is 128 + 9, and `OOMKilled` says who sent the signal. What is its limit now?"),
                _("`docker update` changes limits of a container that is there; `--memory-swap` goes with `--memory`."),
            ),
        ),
        Task(
            name="apart",
            values=_apart_values,
            look=_apart,
            claims=(
                Claim("runs", _("the container runs")),
                Claim("host", _("it has the host name that is wanted")),
                Claim("user", _("its program runs as the user that is wanted")),
                Claim("readonly", _("its root file system cannot be written to")),
                Claim("scratch", _("it has memory to write to at /scratch")),
                Claim("size", _("as much as is wanted fits into it, and not more"), hidden=True),
            ),
            sheet=_(
                "Start a container **«name»** from `alpine:3.19` that stays alive: inside, its host is called "
                "**«host»**, its program runs as user **«uid»**, nobody, root included, can write to its root file system, and at "
                "`/scratch` it has a file system in memory of **«mib» MiB** for that user to write to."
            ),
            hints=(
                _("Each of the four is one flag of `docker run`: host name, user, read-only, tmpfs."),
                _("A tmpfs without a size may take half of the machine's memory."),
                _("`--tmpfs /scratch:size=…m`; `docker exec NAME df -h /scratch` shows what you got."),
            ),
        ),
    ),
)
