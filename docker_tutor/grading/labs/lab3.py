"""Lab 3: a Dockerfile that rebuilds little, ships little, runs as nobody in particular, and keeps a secret. Chapter 3."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import build, in_layers, is_there, last_line, mib, run, size_beyond
from docker_tutor.grading.site import Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["LAB"]

BASE = "alpine:3.19"


def _order_values(draw: Draw) -> Mapping[str, Any]:
    return {"folder": draw.name("folder"), "token": draw.token("token")}


def _order(site: Site, me: Values) -> Iterator[Found]:
    tag = f"check-{me.folder}"
    built = build(site, me.folder, tag)
    yield Found("builds", built.ok, last_line(built), _("a folder {name} that builds").format(name=me.folder))
    if not built.ok:
        return
    wanted = f"hello {me.token}"
    said = run(site, tag)
    yield Found("runs", said.text.strip() == wanted, last_line(said), wanted)
    stamp = _stamp(site, tag)
    source = site.read(f"{me.folder}/app.sh") or ""
    packages = site.read(f"{me.folder}/packages.txt") or ""
    nonce = site.hidden or secrets.token_hex(8)
    try:
        site.write(f"{me.folder}/app.sh", source + f"\necho edited {nonce}\n")
        build(site, me.folder, tag)
        arrived = run(site, tag)
        yield Found("arrives", f"edited {nonce}" in arrived.text, last_line(arrived), _("what was added to app.sh"))
        later = _stamp(site, tag)
        again = (
            _("it left nothing in the image")
            if not stamp
            else _("it ran again")
            if later != stamp
            else _("from the cache")
        )
        kept = bool(stamp) and later == stamp and bool(arrived.ok)
        yield Found("kept", kept, _("install.sh: {again}").format(again=again), _("from the cache"))
        site.write(f"{me.folder}/packages.txt", packages + f"{nonce}\n")
        build(site, me.folder, tag)
        fresh = _stamp(site, tag)
        installed = nonce in run(site, tag, "cat", "/deps/installed").text
        yield Found("fresh", fresh not in {"", later} and installed, _("what is installed after packages.txt changed"))
    finally:
        site.write(f"{me.folder}/app.sh", source)
        site.write(f"{me.folder}/packages.txt", packages)
        site.docker("image", "rm", "--force", tag)


def _stamp(site: Site, tag: str) -> str:
    said = run(site, tag, "cat", "/deps/stamp")
    return said.text if said.ok else ""


def _small_values(draw: Draw) -> Mapping[str, Any]:
    size = draw.number("size", 16, 28, 2)
    return {"image": draw.name("image"), "token": draw.token("token"), "size": size}


def _small(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    data = (me.token + "\n").encode()
    wanted = hashlib.sha256(bytes(me.size * MiB) + data).hexdigest()
    said = run(site, me.image)
    yield Found("report", said.text.split()[:1] == [wanted], last_line(said), _("the checksum that report.sh computes"))
    more = size_beyond(site, me.image, BASE)
    yield Found("size", more < MiB, _("{size} beyond the base").format(size=mib(more)), _("less than 1 MiB"))
    left = run(site, me.image, "ls", "-d", "/job/data", "/job")
    yield Found("clean", "/job/data" not in left.text.split("\n"), _("whether /job/data is still visible"))


def _service_values(draw: Draw) -> Mapping[str, Any]:
    port = draw.number("port", 8100, 8900)
    return {"image": draw.name("image"), "uid": draw.number("uid", 1100, 1900), "port": port, "token": draw.token("t")}


def _service(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    name = f"check-{me.image}"
    quick = ("--health-interval", "0.3s", "--health-start-period", "5s")
    site.docker("run", "--detach", "--name", name, *quick, me.image)
    try:
        box = site.box(name)
        page = site.ask(f"http://127.0.0.1:{me.port}/", f"container:{box.id}", within_s=4)
        yield Found("answers", page.text == me.token, page.text or _("no answer"), me.token)
        status = site.inside(box, "cat", "/proc/1/status").text
        uid = next((line.split()[1] for line in status.splitlines() if line.startswith("Uid:")), "?")
        yield Found("user", uid == str(me.uid), _("process 1 runs as user {uid}").format(uid=uid), str(me.uid))
        box = site.settled(name, lambda box: _health(box) in {"healthy", "unhealthy", ""}, within_s=8)
        yield Found("healthy", _health(box) == "healthy", _health(box) or _("no health check"), "healthy")
        site.docker("stop", "--time", "5", name)
        code = site.box(name).attrs["State"]["ExitCode"]
        yield Found("stops", code in {0, 143}, _("it ended with {code}").format(code=code), _("0, before it is killed"))
        if _health(box) == "healthy":
            ill = ("--entrypoint", "sleep", *quick, "--health-retries", "1")
            site.docker("rm", "--force", name)
            site.docker("run", "--detach", "--name", name, *ill, me.image, "9999")
            box = site.settled(name, lambda box: _health(box) != "starting", within_s=9)
            told = _("its health while no server runs: {health}").format(health=_health(box))
            yield Found("ill", _health(box) == "unhealthy", told)
        else:
            yield Found("ill", held=False, found=_("no health check that succeeds"))
    finally:
        site.docker("rm", "--force", name)


def _health(box: Any) -> str:
    return str((box.attrs["State"].get("Health") or {}).get("Status", "")) if box.there else ""


def _secret_values(draw: Draw) -> Mapping[str, Any]:
    return {"image": draw.name("image"), "token": draw.token("a") + draw.token("b"), "salt": draw.token("salt")}


def _secret(site: Site, me: Values) -> Iterator[Found]:
    yield (there := is_there(site, me.image))
    if not there.held:
        return
    wanted = hashlib.sha256(f"{me.salt}{me.token}".encode()).hexdigest()
    said = run(site, me.image)
    yield Found("licence", said.text.strip() == wanted, last_line(said), _("the licence that licence.sh makes of it"))
    history = site.docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", me.image).text
    told = history + str(site.image(me.image)["Config"])
    yield Found("history", me.token not in told, _("the token is in them") if me.token in told else "")
    leaked = in_layers(site, me.image, me.token)
    found = _("the token is in a file of a layer") if leaked else ""
    yield Found("layers", not leaked, found)


LAB = LabTasks(
    number=3,
    images=(BASE,),
    tasks=(
        Task(
            name="order",
            values=_order_values,
            look=_order,
            files={
                "«folder»/Dockerfile": 'FROM alpine:3.19\nWORKDIR /app\nCOPY . .\nRUN sh install.sh packages.txt\nCMD ["sh", "app.sh"]\n',
                "«folder»/app.sh": "echo hello «token»\n",
                "«folder»/packages.txt": "left-pad\nright-pad\n",
                "«folder»/install.sh": '# Stands for a long download: installs what the file $1 lists, into /deps.\nset -e\nmkdir -p /deps\ncp "$1" /deps/installed\ncat /proc/sys/kernel/random/uuid > /deps/stamp\n',
            },
            claims=(
                Claim("builds", _("the folder builds"), given=True),
                Claim("runs", _("the program runs"), given=True),
                Claim("arrives", _("an edited app.sh arrives in the image"), given=True),
                Claim("kept", _("after an edit of app.sh, what was installed comes from the cache"), 2),
                Claim("fresh", _("after an edit of packages.txt, it does not"), hidden=True, given=True),
            ),
            sheet=_(
                "In the folder **`«folder»`** there is a Dockerfile with the files that it needs. Every edit of `app.sh` makes it run `install.sh` again. Change the Dockerfile so that this happens only when `packages.txt` (or `install.sh`) changes. It is looked at by building it, editing, and building again."
            ),
            hints=(
                _(
                    "A step is taken from the cache as long as everything before it is the same. What comes before the `RUN`?"
                ),
                _("`COPY . .` copies the file that you edit. What does `install.sh` need?"),
                _("Two `COPY`s: first what changes rarely, then the `RUN`, then the rest."),
            ),
        ),
        Task(
            name="small",
            values=_small_values,
            look=_small,
            files={
                "«image»/Dockerfile": 'FROM alpine:3.19\nCOPY fetch.sh report.sh /job/\nRUN sh /job/fetch.sh\nRUN sh /job/report.sh\nRUN rm -r /job/data\nCMD ["cat", "/report"]\n',
                "«image»/fetch.sh": "# Stands for a download.\nmkdir -p /job/data\nhead -c «size»m /dev/zero > /job/data/a\necho «token» > /job/data/b\n",
                "«image»/report.sh": "cat /job/data/a /job/data/b | sha256sum > /report\n",
            },
            claims=(
                Claim("there", _("the image is there")),
                Claim("report", _("it has the right report")),
                Claim("size", _("it is hardly larger than its base"), 2),
                Claim("clean", _("the data are gone"), hidden=True),
            ),
            sheet=_(
                "The folder **`«image»`** builds an image that carries «size» MiB of data which a later line deletes. Build an image **«image»** from it whose default command writes the same report, less than **1 MiB** larger than `alpine:3.19`."
            ),
            hints=(
                _("`docker history «image»` shows what each line weighs. Which line made it smaller?").replace(
                    "«image»", "IMAGE"
                ),
                _("A layer is finished when its line is. What is deleted in a later one is hidden, and shipped."),
                _("Fetch, use and delete in one `RUN` — or make the report in a stage of its own."),
            ),
        ),
        Task(
            name="service",
            values=_service_values,
            look=_service,
            files={
                "«image»/Dockerfile": "FROM alpine:3.19\nCOPY serve.sh /serve.sh\nCMD sh /serve.sh\n",
                "«image»/serve.sh": "# Serves one page until it is told to stop; tidies up before it goes.\nmkdir -p /tmp/www\necho «token» > /tmp/www/index.html\nhttpd -f -p «port» -h /tmp/www &\nserver=$!\ntrap 'kill $server; exit 0' TERM\nwhile kill -0 $server; do wait $server; done\n",
            },
            claims=(
                Claim("there", _("the image is there")),
                Claim("answers", _("its server answers")),
                Claim("user", _("it runs as the user that is wanted")),
                Claim("healthy", _("its health check finds it healthy")),
                Claim("stops", _("it stops when it is asked")),
                Claim("ill", _("its health check finds out when the server does not answer"), hidden=True),
            ),
            sheet=_(
                "The folder **`«image»`** holds a small web server on port «port». Change its Dockerfile, not `serve.sh`, and build an image **«image»** that runs as user **«uid»**, has a health check that asks the server, and stops at once with exit code 0 when `docker stop` asks it to."
            ),
            hints=(
                _(
                    "`docker stop` takes ten seconds and ends in 137: who is process 1 in there, and what does it do with SIGTERM?"
                ),
                _('`CMD ["…", "…"]` starts the program itself; `CMD … …` starts a shell that starts it.'),
                _(
                    "`HEALTHCHECK CMD wget -q -O /dev/null http://127.0.0.1:PORT/` succeeds when a page comes. `USER` takes a number."
                ),
            ),
        ),
        Task(
            name="secret",
            values=_secret_values,
            look=_secret,
            files={
                "«image»/token.txt": "«token»",
                "«image»/licence.sh": '# Makes /licence from the token in the file $1; stands for a download that needs a password.\nset -e\n[ -s "$1" ]\nprintf \'%s%s\' «salt» "$(cat "$1")" | sha256sum | cut -d \' \' -f 1 > /licence\n',
            },
            claims=(
                Claim("there", _("the image is there")),
                Claim("licence", _("it has its licence")),
                Claim("history", _("the token is not in its history or settings")),
                Claim("layers", _("the token is in none of its layers"), 2, hidden=True),
            ),
            sheet=_(
                "In the folder **`«image»`**, `licence.sh` makes the file `/licence` from the token in `token.txt`: `sh licence.sh FILE`. Write a Dockerfile and build an image **«image»** (from `alpine:3.19`) that writes its `/licence` when it is run, and in which the token is nowhere: not in a layer, not in the history, not in a variable."
            ),
            hints=(
                _("What was copied and deleted later is still in a layer; what was an `ARG` is in the history."),
                _("BuildKit can lend a file to one `RUN` without putting it into the image: `--mount=type=secret`."),
                _(
                    "`docker build --secret id=token,src=…`, and in the Dockerfile `RUN --mount=type=secret,id=token sh licence.sh /run/secrets/token`. The script may be mounted as well, or copied alone."
                ),
            ),
        ),
    ),
)
