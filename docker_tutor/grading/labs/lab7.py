"""Lab 7: who reaches whom, under which name and address, and where data stay. Chapter 7."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.labs.looking import running
from docker_tutor.grading.site import Box, Said, Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _

__all__ = ["LAB"]


def _isolate_values(draw: Draw) -> Mapping[str, Any]:
    names = {role: draw.name(role) for role in ("front", "api", "db")}
    return {**names, "token": draw.token("token"), "key": draw.token("key")}


def _isolate_prepare(site: Site, me: Values) -> None:
    serve = "mkdir /www && echo {text} > /www/index.html && exec httpd -f -p 8000 -h /www"
    site.prepare("run", "--detach", "--name", me.front, "alpine:3.19", "sleep", "9999")
    site.prepare("run", "--detach", "--name", me.api, "alpine:3.19", "sh", "-c", serve.format(text=me.token))
    site.prepare("run", "--detach", "--name", me.db, "alpine:3.19", "sh", "-c", serve.format(text=me.key))


def _isolate(site: Site, me: Values) -> Iterator[Found]:
    boxes = {role: site.box(me[role]) for role in ("front", "api", "db")}
    states = ", ".join(box.state for box in boxes.values())
    yield Found("run", all(box.running for box in boxes.values()), states, _("all three run"))
    if not all(box.running for box in boxes.values()):
        return
    one = _fetch(site, boxes["front"], f"http://{me.api}:8000/")
    yield Found("front", one.text == me.token, one.text[-100:] or _("no answer"), _("front reaches api by its name"))
    two = _fetch(site, boxes["api"], f"http://{me.db}:8000/")
    yield Found("api", two.text == me.key, two.text[-100:] or _("no answer"), _("api reaches db by its name"))
    addresses = [each["IPAddress"] for each in boxes["db"].networks.values() if each.get("IPAddress")]
    reached = [url for url in (me.db, *addresses) if _fetch(site, boxes["front"], f"http://{url}:8000/").ok]
    found = _("front reaches db at {where}").format(where=", ".join(reached)) if reached else ""
    yield Found(
        "apart",
        not reached and bool(addresses),
        found or _("no address of db") * (not addresses),
        _("front does not reach db"),
    )
    routes = site.probe("ip", "route", options=("--network", f"container:{boxes['db'].id}")).text
    yield Found("inside", "default" not in routes, _("whether db has a way out of its network"))


def _fetch(site: Site, box: Box, url: str) -> Said:
    return site.probe("wget", "-q", "-T", "2", "-O", "-", url, options=("--network", f"container:{box.id}"))


def _address_values(draw: Draw) -> Mapping[str, Any]:
    second, third = draw.number("second", 60, 200), draw.number("third", 1, 250)
    return {
        "network": draw.name("network"),
        "name": draw.name("name"),
        "alias": draw.name("alias"),
        "subnet": f"10.{second}.{third}.0/24",
        "gateway": f"10.{second}.{third}.{draw.number('gateway', 100, 120)}",
        "address": f"10.{second}.{third}.{draw.number('address', 130, 250)}",
    }


def _address(site: Site, me: Values) -> Iterator[Found]:
    network = site.network(me.network)
    found = (network.get("IPAM", {}).get("Config") or [{}])[0]
    there = bool(network)
    yield Found(
        "network", there, me.network if there else _("no such network"), _("a network {name}").format(name=me.network)
    )
    if not there:
        return
    yield Found("subnet", found.get("Subnet") == me.subnet, str(found.get("Subnet")), me.subnet)
    yield Found("gateway", found.get("Gateway") == me.gateway, str(found.get("Gateway")), me.gateway)
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    address = box.networks.get(me.network, {}).get("IPAddress") or _("not in this network")
    yield Found("address", address == me.address, address, me.address)
    said = site.probe("nslookup", me.alias, options=("--network", me.network))
    told = _("what others in the network get when they ask for {alias}").format(alias=me.alias)
    yield Found("alias", me.address in said.text.split(), told)


def _restore_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "volume": draw.name("volume"),
        "copy": draw.name("copy"),
        "token": draw.token("token"),
        "uid": draw.number("uid", 1100, 1900),
    }


def _restore_prepare(site: Site, me: Values) -> None:
    script = (
        f"cd /v && mkdir -p deep/er && echo {me.token} > deep/er/file && echo hidden > .dot && head -c 300k /dev/zero > zeros "
        f"&& ln -s deep/er/file link && chmod 640 .dot && chown -R {me.uid}:{me.uid} deep && chmod 700 deep"
    )
    site.prepare("volume", "create", me.volume)
    site.prepare("run", "--rm", "--volume", f"{me.volume}:/v", "alpine:3.19", "sh", "-c", script)


_LISTING = "cd /v && find . | sort | while read f; do stat -c '%a %u:%g %F %n' \"$f\"; done; find . -type f | sort | xargs sha256sum; readlink link"
_CONTENT = "cd /v && find . -type f | sort | xargs sha256sum; readlink link"


def _restore(site: Site, me: Values) -> Iterator[Found]:
    there = bool(site.volume(me.copy))
    yield Found("there", there, me.copy if there else _("no such volume"), _("a volume {name}").format(name=me.copy))
    if not there:
        return
    known = bool(site.volume(me.volume))
    old, new = (_inside(site, name, _CONTENT) if known else "" for name in (me.volume, me.copy))
    paths = len(new.split("\n")) if new else 0
    yield Found(
        "content",
        known and bool(old) and old == new,
        _("{count} lines of content, or others than in {name}").format(count=paths, name=me.volume),
        _("the same files"),
    )
    old, new = (_inside(site, name, _LISTING) if known else "" for name in (me.volume, me.copy))
    wrong = sorted(set(new.splitlines()) - set(old.splitlines()))
    yield Found("owners", bool(old) and old == new, "; ".join(wrong)[:200], _("the same owners and modes"))
    archive = site.folder / f"{me.volume}.tar"
    packed = archive.is_file() and not archive.is_symlink() and me.token.encode() in archive.read_bytes()[: 4 << 20]
    yield Found(
        "archive",
        packed,
        _("{name}.tar: {what}").format(
            name=me.volume, what=_("as it should be") if packed else _("not there, or without the files")
        ),
        _("a tar of the volume"),
    )
    token = _inside(site, me.volume, "cat /v/deep/er/file") if known else ""
    yield Found("origin", token == me.token, _("what the first volume holds"))


def _inside(site: Site, volume: str, script: str) -> str:
    return site.probe("sh", "-c", script, options=("--volume", f"{volume}:/v:ro", "--network", "none")).text


def _places_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "name": draw.name("name"),
        "volume": draw.name("volume"),
        "folder": draw.name("folder"),
        "token": draw.token("token"),
        "mib": draw.number("mib", 4, 12),
    }


def _places(site: Site, me: Values) -> Iterator[Found]:
    box, runs = running(site, me.name)
    yield runs
    if not runs.held:
        return
    nonce = site.hidden or secrets.token_hex(8)
    site.inside(box, "sh", "-c", f"echo {nonce} > /data/check")
    kept = _inside(site, me.volume, "cat /v/check") if site.volume(me.volume) else _("no such volume")
    yield Found(
        "volume",
        kept == nonce,
        _("written to /data, read from {name}: {text}").format(name=me.volume, text=kept[-60:]),
        _("the same"),
    )
    page = site.inside(box, "cat", "/pages/index.html").text
    yield Found(
        "bind",
        page == me.token,
        page[-80:] or _("nothing"),
        _("/pages/index.html of the folder {name}").format(name=me.folder),
    )
    tried = site.docker("exec", "--user", "0", box.id, "touch", "/pages/written")
    shut = not tried.ok and "Read-only" in tried.text
    yield Found(
        "readonly", shut, _("the container could write to /pages") if tried.ok else tried.text[-80:], _("it cannot")
    )
    mounts = [line.split() for line in site.inside(box, "cat", "/proc/mounts").text.splitlines()]
    kinds = [(words[2], words[3]) for words in mounts if len(words) > 3 and words[1] == "/cache"]
    kind, options = kinds[-1] if kinds else (_("no mount"), "")
    sized = f"size={me.mib * 1024}k" in options.split(",")
    yield Found("cache", kind == "tmpfs" and sized, f"{kind} {options}", _("memory, {mib} MiB").format(mib=me.mib))
    site.write(f"{me.folder}/index.html", f"{nonce}\n")
    live = site.inside(box, "cat", "/pages/index.html").text
    site.write(f"{me.folder}/index.html", f"{me.token}\n")
    yield Found("live", live == nonce, _("what the container sees after the file has been edited outside"))


LAB = LabTasks(
    number=7,
    images=("alpine:3.19",),
    tasks=(
        Task(
            name="isolate",
            values=_isolate_values,
            prepare=_isolate_prepare,
            look=_isolate,
            claims=(
                Claim("run", _("the three containers run"), given=True),
                Claim("front", _("the front reaches the api")),
                Claim("api", _("the api reaches the database")),
                Claim("apart", _("the front does not reach the database"), 2),
                Claim("inside", _("the database has no way out"), hidden=True),
            ),
            sheet=_(
                "Three containers run on the default bridge: **«front»**, **«api»** and **«db»**; the last two answer on port 8000. See to it that front reaches `http://«api»:8000/` and api reaches `http://«db»:8000/`, both by name; that front does not reach db under any name or address; and that db cannot reach anything outside its network."
            ),
            hints=(
                _("On the default bridge there are no names, and everybody reaches everybody. Where are there names?"),
                _(
                    "Two networks, with one container in both. `docker network connect` and `disconnect` work on running containers."
                ),
                _(
                    "`docker network create --internal` makes one without a way out — for db and api. The default bridge is a network too: leave it."
                ),
            ),
        ),
        Task(
            name="address",
            values=_address_values,
            look=_address,
            claims=(
                Claim("network", _("the network is there")),
                Claim("subnet", _("its subnet is as wanted")),
                Claim("gateway", _("its gateway is as wanted")),
                Claim("runs", _("the container runs")),
                Claim("address", _("it has the address that is wanted")),
                Claim("alias", _("others find it under its other name"), hidden=True),
            ),
            sheet=_(
                "Make a network **«network»** with the subnet `«subnet»` and the gateway `«gateway»`, and in it a container **«name»** (`alpine:3.19`, alive) that always has the address `«address»` and is also found as **«alias»**."
            ),
            hints=(
                _("`docker network create --help`: subnet and gateway are flags of it."),
                _("`docker run --ip` works in a network whose subnet you have chosen."),
                _("A second name in a network is called an alias there: `--network-alias`."),
            ),
        ),
        Task(
            name="restore",
            values=_restore_values,
            prepare=_restore_prepare,
            look=_restore,
            claims=(
                Claim("there", _("the new volume is there")),
                Claim("content", _("it has the same content"), 2),
                Claim("owners", _("with the same owners and modes")),
                Claim("archive", _("the backup lies beside the notebook")),
                Claim("origin", _("the first volume is as it was"), hidden=True),
            ),
            sheet=_(
                "Back the volume **«volume»** up into the file `«volume».tar` in the notebook's folder, and restore it from there into a new volume **«copy»**: the same files, hidden ones too, with the same owners and modes. The first volume stays as it is."
            ),
            hints=(
                _("A volume is reached through a container: mount it, and the folder for the archive, into one."),
                _(
                    '`docker run --rm -v VOLUME:/v:ro -v "$PWD":/backup alpine:3.19 tar -C /v -cf /backup/NAME.tar .` — why the dot, and not a star?'
                ),
                _("tar as root keeps owners and modes (`-p`), `cp -r` does not."),
            ),
        ),
        Task(
            name="places",
            values=_places_values,
            look=_places,
            files={"«folder»/index.html": "«token»\n"},
            claims=(
                Claim("runs", _("the container runs")),
                Claim("volume", _("what is written to /data is in the volume")),
                Claim("bind", _("/pages shows the folder")),
                Claim("readonly", _("the container cannot change it")),
                Claim("cache", _("/cache is in memory, of that size")),
                Claim("live", _("what is edited outside is seen inside"), hidden=True),
            ),
            sheet=_(
                "Start a container **«name»** from `alpine:3.19` that stays alive, with three mounts: at `/data` the named volume **«volume»**, at `/pages` the notebook's folder `«folder»`, which the container cannot change, and at `/cache` a file system in memory of **«mib» MiB**."
            ),
            hints=(
                _("Three mounts, three types: volume, bind, tmpfs. `--mount type=…` or `-v` and `--tmpfs`."),
                _(
                    'A bind mount wants an absolute path: `"$PWD"/FOLDER`. A path without a slash is the name of a volume.'
                ),
                _("`:ro` at the end of `-v`, or `readonly` in `--mount`; `--tmpfs /cache:size=…m`."),
            ),
        ),
    ),
)
