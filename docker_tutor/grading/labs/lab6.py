"""Lab 6: what is in which layer, what is sent to a build, and what is built again. Chapter 6."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import build, is_there, last_line, mib, run, size_beyond
from docker_tutor.grading.site import Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["LAB"]

BASE = "alpine:3.19"


def _keep_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "name": draw.name("name"),
        "image": draw.name("image"),
        "token": draw.token("token"),
        "old": draw.token("old"),
    }


def _keep_prepare(site: Site, me: Values) -> None:
    image = f"{me.image}-origin"
    recipe = f'FROM {BASE}\nRUN mkdir /job && echo {me.old} > /job/changed && echo {me.old} > /job/removed\nCMD ["cat", "/job/changed"]\n'
    site.prepare("build", "--quiet", "--tag", image, "-", stdin=recipe)
    change = f"echo {me.token} > /job/changed; echo {me.token} > /job/added; rm /job/removed"
    site.prepare("run", "--name", me.name, image, "sh", "-c", change)


def _keep(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    files = "cd /job && for f in added changed removed; do echo $f=$(cat $f 2>/dev/null); done"
    listed = run(site, me.image, "-c", files, options=("--entrypoint", "sh")).text.split()
    said = dict(each.partition("=")[::2] for each in listed)
    yield Found("added", said.get("added") == me.token, f"/job/added: {said.get('added', '')}", me.token)
    yield Found("changed", said.get("changed") == me.token, f"/job/changed: {said.get('changed', '')}", me.token)
    yield Found(
        "removed", said.get("removed") == "", _("/job/removed is there") if said.get("removed") else "", _("not there")
    )
    default = run(site, me.image)
    yield Found(
        "command",
        default.text.strip() == me.token,
        _("its default command writes: {text}").format(text=last_line(default)),
    )


def _shrink_values(draw: Draw) -> Mapping[str, Any]:
    size = draw.number("size", 14, 26, 2)
    return {"fat": draw.name("fat"), "image": draw.name("image"), "token": draw.token("token"), "size": size}


def _shrink_prepare(site: Site, me: Values) -> None:
    recipe = (
        f"FROM {BASE}\nENV CODE={me.token}\nWORKDIR /srv\nRUN head -c {me.size}m /dev/urandom > /srv/data\n"
        f"RUN chmod 600 /srv/data\nRUN rm /srv/data && echo {me.token} > /srv/left\n"
        'CMD ["sh", "-c", "echo $CODE in $PWD has $(cat left)"]\n'
    )
    site.prepare("build", "--quiet", "--tag", me.fat, "-", stdin=recipe)


def _shrink(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    more = size_beyond(site, me.image, BASE)
    yield Found("size", more < MiB, _("{size} beyond the base").format(size=mib(more)), _("less than 1 MiB"))
    kept = run(site, me.image, "cat", "/srv/left")
    yield Found("file", kept.text.strip() == me.token, last_line(kept), _("the file /srv/left"))
    said = run(site, me.image)
    wanted = f"{me.token} in /srv has {me.token}"
    yield Found("command", said.text.strip() == wanted, last_line(said), wanted)
    environment = run(site, me.image, "env").text
    path = any(line.startswith("PATH=/usr/local/sbin") for line in environment.splitlines())
    yield Found("settings", f"CODE={me.token}" in environment and path, _("its variables, as a container sees them"))


def _version_values(draw: Draw) -> Mapping[str, Any]:
    return {"folder": draw.name("folder"), "token": draw.token("token")}


def _version(site: Site, me: Values) -> Iterator[Found]:
    tag = f"check-{me.folder}"
    nonce = site.hidden or secrets.token_hex(8)
    try:
        first = build(site, me.folder, tag, "--build-arg", "VERSION=1.0")
        yield Found("builds", first.ok, last_line(first), _("a folder {name} that builds").format(name=me.folder))
        if not first.ok:
            return
        said = run(site, tag)
        yield Found("first", said.text.strip() == f"{me.token} 1.0", last_line(said), f"{me.token} 1.0")
        stamp = _stamp(site, tag)
        build(site, me.folder, tag, "--build-arg", f"VERSION={nonce}")
        said = run(site, tag)
        yield Found("second", said.text.strip() == f"{me.token} {nonce}", last_line(said), f"{me.token} {nonce}")
        again = _stamp(site, tag)
        told = (
            _("it ran again") if again != stamp else _("from the cache") if stamp else _("it left nothing in the image")
        )
        yield Found("kept", bool(stamp) and again == stamp, _("slow.sh: {what}").format(what=told), _("from the cache"))
        default = build(site, me.folder, tag)
        said = run(site, tag)
        told = _("without the argument it writes: {text}").format(text=last_line(said))
        yield Found("default", default.ok and said.text.strip() == f"{me.token} unknown", told)
    finally:
        site.docker("image", "rm", "--force", tag)


def _stamp(site: Site, tag: str) -> str:
    said = run(site, tag, "cat", "/stamp")
    return said.text if said.ok else ""


def _ignore_values(draw: Draw) -> Mapping[str, Any]:
    return {"folder": draw.name("folder"), "token": draw.token("token"), "secret": draw.token("secret")}


def _ignore(site: Site, me: Values) -> Iterator[Found]:
    tag = f"check-{me.folder}"
    later = ("lib/deep/later.env", "later.log")
    for path in later:
        site.write(f"{me.folder}/{path}", "later\n")
    try:
        built = build(site, me.folder, tag)
        yield Found("builds", built.ok, last_line(built), _("a folder {name} that builds").format(name=me.folder))
        if not built.ok:
            return
        said = run(site, tag)
        yield Found("runs", said.text.strip() == me.token, last_line(said), me.token)
        listed = set(run(site, tag, "sh", "-c", "cd /app && find . -type f").text.replace("./", "").split())
        yield _absent("secret", listed, {"secret.env", "lib/secret.env"})
        yield _absent("junk", listed, {"build/big.bin", "trace.log", "lib/trace.log"})
        keep = {"logs/keep.log", "app.sh", "lib/part.sh"} - listed
        found = _("not in the image: {files}").format(files=", ".join(sorted(keep))) if keep else ""
        yield Found("keep", not keep, found, _("logs/keep.log and all that the program needs"))
        yield _absent("later", listed, set(later))
    finally:
        site.docker("image", "rm", "--force", tag)
        for path in later:
            site.write(f"{me.folder}/{path}", "")


def _absent(key: str, listed: set[str], unwanted: set[str]) -> Found:
    there = sorted(listed & unwanted)
    return Found(
        key,
        not there,
        _("in the image: {files}").format(files=", ".join(there)) if there else "",
        _("not in the image"),
    )


LAB = LabTasks(
    number=6,
    images=(BASE,),
    tasks=(
        Task(
            name="keep",
            values=_keep_values,
            prepare=_keep_prepare,
            look=_keep,
            claims=(
                Claim("there", _("the image is there")),
                Claim("added", _("it has what was added")),
                Claim("changed", _("it has what was changed")),
                Claim("removed", _("what was removed is gone")),
                Claim("command", _("its default command is that of the image it comes from"), hidden=True),
            ),
            sheet=_(
                "The container **«name»** has ended, and changed files below `/job` before it did: one was added, one changed, one removed. Make an image **«image»** whose containers begin with exactly these files, and with the default command of the image that «name» was made from (`«image»-origin`)."
            ),
            hints=(
                _("`docker diff NAME` lists what the container's own layer holds: A, C and D."),
                _("`docker commit` makes a layer of an image from it — and takes the *container's* command along."),
                _("`docker commit --change 'CMD …'`; `docker image inspect` of the origin tells which."),
            ),
        ),
        Task(
            name="shrink",
            values=_shrink_values,
            prepare=_shrink_prepare,
            look=_shrink,
            claims=(
                Claim("there", _("the image is there")),
                Claim("size", _("it is hardly larger than its base"), 2),
                Claim("file", _("it has the files that were visible")),
                Claim("command", _("it does the same")),
                Claim("settings", _("its variables are the same"), hidden=True),
            ),
            sheet=_(
                "The image **«fat»** ships «size» MiB that no container of it can see. Make an image **«image»** from it — there is no Dockerfile — with the same visible files, command, variables and working directory, less than **1 MiB** larger than `alpine:3.19`."
            ),
            hints=(
                _("`docker history --no-trunc «fat»` shows the layer, and the settings that you will need.").replace(
                    "«fat»", "IMAGE"
                ),
                _(
                    "What a container sees can be had in one piece: `docker export`, or `COPY --from=IMAGE / /` into an empty image."
                ),
                _(
                    "Both lose the settings: `docker import --change`, or `ENV`, `WORKDIR` and `CMD` lines. PATH is one of them."
                ),
            ),
        ),
        Task(
            name="version",
            values=_version_values,
            look=_version,
            files={
                "«folder»/Dockerfile": 'FROM alpine:3.19\nARG VERSION=unknown\nENV TOKEN=«token»\nCOPY slow.sh /\nRUN sh /slow.sh\nRUN echo "$TOKEN unknown" > /version\nCMD ["cat", "/version"]\n',
                "«folder»/slow.sh": "# Stands for a step that takes long and has nothing to do with the version.\ncat /proc/sys/kernel/random/uuid > /stamp\n",
            },
            claims=(
                Claim("builds", _("the folder builds"), given=True),
                Claim("first", _("it is built with the version that is given")),
                Claim("second", _("another version arrives")),
                Claim("kept", _("and the slow step comes from the cache"), 2),
                Claim("default", _("without a version it says so"), hidden=True, given=True),
            ),
            sheet=_(
                "Change **`«folder»/Dockerfile`** so that `docker build --build-arg VERSION=2.0` gives an image that writes `«token» 2.0`, any other version likewise, and none `«token» unknown` — and so that a new version does not make `slow.sh` run again."
            ),
            hints=(
                _(
                    "A `RUN` whose text uses an argument is run again when its value changes. What about one that does not use it?"
                ),
                _(
                    "Every `RUN` after an `ARG` line has the argument in its environment: its value counts for the cache, used or not."
                ),
                _("Put the `ARG` line below what it does not concern."),
            ),
        ),
        Task(
            name="ignore",
            values=_ignore_values,
            look=_ignore,
            files={
                "«folder»/Dockerfile": 'FROM alpine:3.19\nWORKDIR /app\nCOPY . .\nCMD ["sh", "app.sh"]\n',
                "«folder»/app.sh": ". ./lib/part.sh\necho $TOKEN\n",
                "«folder»/lib/part.sh": "TOKEN=«token»\n",
                "«folder»/secret.env": "PASSWORD=«secret»\n",
                "«folder»/lib/secret.env": "PASSWORD=«secret»\n",
                "«folder»/trace.log": "trace\n",
                "«folder»/lib/trace.log": "trace\n",
                "«folder»/logs/keep.log": "this one is part of the program\n",
                "«folder»/build/big.bin": "x\n",
            },
            claims=(
                Claim("builds", _("the folder builds"), given=True),
                Claim("runs", _("the program runs"), given=True),
                Claim("secret", _("no file with secrets is in the image"), 2),
                Claim("junk", _("neither logs nor what was built elsewhere is in the image")),
                Claim("keep", _("what is needed is"), given=True),
                Claim("later", _("nor will such a file be that is written tomorrow"), hidden=True),
            ),
            sheet=_(
                "The Dockerfile in **`«folder»`** copies everything, and stays as it is. Keep out of the image: every file that ends in `.env`, every one that ends in `.log` except `logs/keep.log`, and the folder `build` — in whatever folder such files are, today or tomorrow. The program has to run."
            ),
            hints=(
                _("What is listed in `.dockerignore` is not sent to the build at all."),
                _(
                    "A pattern without a slash means the top folder only — unlike in `.gitignore`. Two stars stand for any number of folders."
                ),
                _("A line that begins with `!` takes back what a line above it has excluded."),
            ),
        ),
    ),
)
