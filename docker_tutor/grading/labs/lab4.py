"""Lab 4: build with everything, ship next to nothing. Chapter 4."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import (
    is_there,
    last_line,
    mib,
    run,
    run_with_file,
    size_beyond,
    visible_files,
)
from docker_tutor.grading.site import Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["LAB"]

BASE = "alpine:3.19"


def _two_values(draw: Draw) -> Mapping[str, Any]:
    return {"image": draw.name("image"), "token": draw.token("token"), "port": draw.number("port", 8100, 8900)}


def _two(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    name = f"check-{me.image}"
    site.docker("run", "--detach", "--name", name, me.image)
    try:
        box = site.box(name)
        page = site.ask(f"http://127.0.0.1:{me.port}/", f"container:{box.id}", within_s=3) if box.running else None
        wanted = f"<p>{me.token[::-1]}</p>"
        found = page.text if page else box.state
        yield Found("page", bool(page) and found == wanted, found, _("the page that make.py makes"))
    finally:
        site.docker("rm", "--force", name)
    more = size_beyond(site, me.image, BASE)
    yield Found("small", more < MiB, _("{size} beyond alpine:3.19").format(size=mib(more)), _("less than 1 MiB"))
    files = {path.rsplit("/", 1)[-1] for path in visible_files(site, me.image)}
    left = sorted(files & {"make.py", "source.txt", "python3", "python"})
    yield Found("tools", not left, _("in the image: {files}").format(files=", ".join(left)) if left else "")


def _scratch_values(draw: Draw) -> Mapping[str, Any]:
    return {"image": draw.name("image"), "token": draw.token("token"), "uid": draw.number("uid", 1100, 1900)}


def _scratch(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    said = run(site, me.image)
    yield Found("prints", said.text.strip() == me.token, last_line(said), me.token)
    files = sorted(visible_files(site, me.image))
    counted = _("{count} files: {files}").format(count=len(files), files=", ".join(files[:5]))
    yield Found("files", len(files) == 1, counted, _("one"))
    user = (site.image(me.image)["Config"] or {}).get("User") or "root"
    yield Found("user", user.partition(":")[0] == str(me.uid), user, str(me.uid))
    nonce = site.hidden or secrets.token_hex(8)
    echoed = run(site, me.image, nonce)
    given = _("with another word after the image's name it wrote: {text}")
    yield Found("argument", echoed.text.strip() == nonce, given.format(text=last_line(echoed)))


def _targets_values(draw: Draw) -> Mapping[str, Any]:
    return {"folder": draw.name("folder"), "token": draw.token("token")}


def _targets(site: Site, me: Values) -> Iterator[Found]:
    tags = {stage: f"check-{me.folder}:{stage}" for stage in ("dev", "prod", "default")}
    tools = site.read(f"{me.folder}/tools.txt") or ""
    try:
        for stage in ("dev", "prod"):
            built = site.docker("build", "-q", "-t", tags[stage], "--target", stage, me.folder, timeout_s=60)
            said = run(site, tags[stage]) if built.ok else built
            wanted = f"{stage} {me.token}"
            yield Found(stage, built.ok and said.text.strip() == wanted, last_line(said), wanted)
        built = site.docker("build", "-q", "-t", tags["default"], me.folder, timeout_s=60)
        said = run(site, tags["default"]) if built.ok else built
        yield Found(
            "default", built.ok and said.text.strip() == f"prod {me.token}", last_line(said), f"prod {me.token}"
        )
        where = {stage: run(site, tags[stage], "ls", "/tools.txt").ok for stage in ("dev", "prod")}
        told = _("/tools.txt: in dev {dev}, in prod {prod}")
        words = {stage: _("there") if there else _("not there") for stage, there in where.items()}
        yield Found("tools", where["dev"] and not where["prod"], told.format(**words), _("in dev only"))
        site.write(f"{me.folder}/tools.txt", tools + "break\n")
        alone = site.docker("build", "-q", "-t", tags["prod"], "--target", "prod", me.folder, timeout_s=60)
        broken = site.docker("build", "-q", "-t", tags["dev"], "--target", "dev", me.folder, timeout_s=60)
        told = _("whether prod is built when what dev needs is broken, and whether dev checks its tools")
        yield Found("apart", alone.ok and not broken.ok, told)
    finally:
        site.write(f"{me.folder}/tools.txt", tools)
        for tag in tags.values():
            site.docker("image", "rm", "--force", tag)


def _dynamic_values(draw: Draw) -> Mapping[str, Any]:
    return {"image": draw.name("image"), "one": draw.token("one"), "two": draw.token("two")}


def _dynamic(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    said = run(site, me.image)
    wanted = [me.two, me.one]
    yield Found("prints", said.text.split() == wanted, " ".join(said.text.split())[-120:], " ".join(wanted))
    files = visible_files(site, me.image)
    shells = sorted(path for path in files if path.rsplit("/", 1)[-1] in {"sh", "bash", "dash", "ash"})
    yield Found("shell", not shells, ", ".join(shells), _("no shell"))
    yield Found("few", len(files) <= 12, _("{count} files").format(count=len(files)), _("12 at most"))
    words = [secrets.token_hex(4), secrets.token_hex(4)]
    again = run_with_file(site, me.image, "/lines.txt", "\n".join(words) + "\n")
    told = _("with other lines in /lines.txt it wrote: {text}").format(text=" ".join(again.text.split())[-80:])
    yield Found("works", again.text.split() == words[::-1], told)


LAB = LabTasks(
    number=4,
    images=(BASE, "python:3.11-slim", "busybox:musl"),
    tasks=(
        Task(
            name="two",
            values=_two_values,
            look=_two,
            files={
                "«image»/make.py": "import pathlib, sys\ntext = pathlib.Path(sys.argv[1]).read_text().strip()\nout = pathlib.Path(sys.argv[2])\nout.mkdir(parents=True, exist_ok=True)\n(out / 'index.html').write_text(f'<p>{text[::-1]}</p>\\n')\n",
                "«image»/source.txt": "«token»\n",
                "«image»/Dockerfile": 'FROM python:3.11-slim\nWORKDIR /src\nCOPY . .\nRUN python make.py source.txt /site\nCMD ["python", "-m", "http.server", "«port»", "--directory", "/site"]\n',
            },
            claims=(
                Claim("there", _("the image is there")),
                Claim("page", _("it serves the page")),
                Claim("small", _("it is hardly larger than its base"), 2),
                Claim("tools", _("neither sources nor Python are in it"), hidden=True),
            ),
            sheet=_(
                "The folder **`«image»`** makes a web page with Python and serves it with Python. Build an image **«image»** that still makes the page in its build, and serves it on port **«port»**, and is less than **1 MiB** larger than `alpine:3.19` (whose busybox has an `httpd`)."
            ),
            hints=(
                _("What is needed to make the page, and what to serve it? Give each a stage."),
                _("`COPY --from=STAGE SRC DEST` takes files from another stage; the last stage is the image."),
                _("`httpd -f -p PORT -h FOLDER` stays in the foreground."),
            ),
        ),
        Task(
            name="scratch",
            values=_scratch_values,
            look=_scratch,
            claims=(
                Claim("there", _("the image is there")),
                Claim("prints", _("it writes its word")),
                Claim("files", _("it consists of one file"), 2),
                Claim("user", _("it runs as the user that is wanted")),
                Claim("argument", _("it writes another word when it is given one"), hidden=True),
            ),
            sheet=_(
                "Make an image **«image»** that consists of a single file, the static `/bin/busybox` of `busybox:musl`, and runs as user **«uid»**. `docker run «image»` writes `«token»`, and `docker run «image» WORD` writes WORD instead."
            ),
            hints=(
                _(
                    "`FROM scratch` is an image without a file; `COPY --from=` also takes from an image that is no stage."
                ),
                _("There is no shell to find programs: `/busybox echo …` is busybox, told to be `echo`."),
                _(
                    "What a reader may replace goes into `CMD`, what stays into `ENTRYPOINT`. There is no /etc/passwd: `USER` takes a number."
                ),
            ),
        ),
        Task(
            name="targets",
            values=_targets_values,
            look=_targets,
            files={
                "«folder»/app.sh": "echo $STAGE «token»\n",
                "«folder»/tools.txt": "debugger\nprofiler\n",
                "«folder»/check.sh": '# Ends with an error when the list of tools in the file $1 is broken.\n! grep -q break "$1"\n',
            },
            claims=(
                Claim("dev", _("the target dev builds and runs")),
                Claim("prod", _("the target prod builds and runs")),
                Claim("default", _("without a target, prod is built")),
                Claim("tools", _("the tools are in dev and not in prod")),
                Claim("apart", _("prod does not wait for what only dev needs"), hidden=True),
            ),
            sheet=_(
                "Write **`«folder»/Dockerfile`** with (at least) two stages on `alpine:3.19`. `--target dev` gives an image with `/tools.txt` in it, checked in the build by `sh check.sh tools.txt`, that writes `dev «token»`; `--target prod` one without the tools that writes `prod «token»`. Both run `app.sh`, which reads the variable `STAGE`. Without `--target`, prod is built; and prod is built even when the tools are broken."
            ),
            hints=(
                _("A stage may begin from another one: `FROM base AS dev`."),
                _(
                    "The last stage is what a build without `--target` gives. BuildKit builds only the stages that it leads to."
                ),
                _(
                    "base: `app.sh` and `CMD`; dev: `ENV STAGE=dev`, tools and check; prod, from base again: `ENV STAGE=prod`."
                ),
            ),
        ),
        Task(
            name="dynamic",
            values=_dynamic_values,
            look=_dynamic,
            files={
                "«image»/Dockerfile": 'FROM python:3.11-slim AS made\nFROM scratch\nCOPY --from=made /usr/bin/tac /usr/bin/tac\nCOPY lines.txt /lines.txt\nCMD ["/usr/bin/tac", "/lines.txt"]\n',
                "«image»/lines.txt": "«one»\n«two»\n",
            },
            claims=(
                Claim("there", _("the image is there")),
                Claim("prints", _("it writes the lines in reverse order"), 2),
                Claim("shell", _("there is no shell in it")),
                Claim("few", _("there are few files in it")),
                Claim("works", _("it does so with other lines as well"), hidden=True),
            ),
            sheet=_(
                "The folder **`«image»`** builds an image from scratch with the program `tac`, which writes a file's lines in reverse order. It builds, and does not run. Find out why, and build an image **«image»** from scratch, without a shell and with 12 files at most, that writes the lines of its `/lines.txt` in reverse order."
            ),
            hints=(
                _(
                    "“no such file or directory” — and the program is there. What does a dynamically linked program need that is another file?"
                ),
                _(
                    "`ldd /usr/bin/tac`, in a container of python:3.11-slim, names them; one of them is the loader, by its full path."
                ),
                _(
                    "Copy those too (`cp --parents -L` keeps their folders), or take a program that needs none: busybox:musl has a static one."
                ),
            ),
        ),
    ),
)
