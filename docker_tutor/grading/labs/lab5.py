"""Lab 5: a project that comes up in order, is scaled, repaired, and changed without being edited. Chapter 5."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docker_tutor.grading.draws import Draw, Values
from docker_tutor.grading.findings import Claim, Found
from docker_tutor.grading.site import Box, Site
from docker_tutor.grading.tasks import LabTasks, Task
from docker_tutor.i18n import _
from docker_tutor.units import MiB

__all__ = ["LAB"]

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"


def _boxes(site: Site, project: str, service: str) -> list[Box]:
    """Return the containers of one service, whatever they are called."""
    wanted = {"label": [f"{_PROJECT}={project}", f"{_SERVICE}={service}", "com.docker.compose.oneoff=False"]}
    found = site.client.api.containers(all=True, filters=wanted)
    return [Box(service, site.client.api.inspect_container(each["Id"])) for each in found]


def _states(boxes: list[Box], service: str) -> str:
    return ", ".join(box.state for box in boxes) or _("no container of a service {name}").format(name=service)


def _published(box: Box) -> list[str]:
    ports = box.host["PortBindings"] or {}
    return sorted(
        f"{each['HostPort']}→{port.partition('/')[0]}" for port, given in ports.items() for each in given or []
    )


def _repair_values(draw: Draw) -> Mapping[str, Any]:
    return {"project": draw.name("project"), "token": draw.token("token"), "port": draw.number("port", 18100, 18900)}


def _repair(site: Site, me: Values) -> Iterator[Found]:
    boxes = {name: _boxes(site, me.project, name) for name in ("web", "pages")}
    web = [box for box in boxes["web"] if box.running]
    yield Found("web", bool(web), _states(boxes["web"], "web"), _("a service web that runs"))
    done = [box for box in boxes["pages"] if box.attrs["State"]["Status"] == "exited"]
    ended = bool(done) and all(box.attrs["State"]["ExitCode"] == 0 for box in done)
    yield Found("pages", ended, _states(boxes["pages"], "pages"), _("a service pages that has done its work: 0"))
    if not web:
        return
    page = site.ask(f"http://127.0.0.1:{me.port}/", "host", within_s=3)
    yield Found(
        "page", page.text == me.token, page.text or _("no answer"), _("the page, at port {port}").format(port=me.port)
    )
    folder = ("--project-directory", me.project, "--file", f"{me.project}/compose.yaml", "--project-name", me.project)
    site.docker("compose", *folder, "down", "--volumes", "--timeout", "1", timeout_s=60)
    site.docker("compose", *folder, "up", "--detach", timeout_s=60)
    again = site.ask(f"http://127.0.0.1:{me.port}/", "host", within_s=5)
    yield Found(
        "again", again.text == me.token, _("after down and up, it answers: {text}").format(text=again.text[-100:])
    )


def _order_values(draw: Draw) -> Mapping[str, Any]:
    return {"project": draw.name("project"), "token": draw.token("token")}


def _order(site: Site, me: Values) -> Iterator[Found]:
    def here() -> tuple[list[Box], list[Box]]:
        return _boxes(site, me.project, "store"), _boxes(site, me.project, "app")

    stores, apps = here()
    store = next((box for box in stores if box.running), None)
    app = next((box for box in apps if box.running), None)
    health = (store.attrs["State"].get("Health") or {}).get("Status", _("no health check")) if store else ""
    found = health if store else _states(stores, "store")
    yield Found("store", health == "healthy", found, _("a service store that is healthy"))
    yield Found("app", app is not None, _states(apps, "app"), _("a service app that runs"))
    if store is None or app is None:
        return
    said = site.docker("logs", app.id).text
    yield Found("connected", f"connected {me.token}" in said, said[-80:] or _("an empty log"), f"connected {me.token}")
    restarts = int(app.attrs["RestartCount"])
    first = "gave up" not in said and not restarts
    yield Found(
        "first",
        first,
        _("app was started {count} times").format(count=restarts + 1),
        _("once, when the store was ready"),
    )
    site.docker("compose", "--project-name", me.project, "down", "--timeout", "1", timeout_s=60)
    folder = ("--project-directory", me.project, "--file", f"{me.project}/compose.yaml", "--project-name", me.project)
    came = site.docker("compose", *folder, "up", "--detach", timeout_s=60)
    _stores, apps = here()
    told = _("after down and up: {states}").format(states=_states(apps, "app"))
    yield Found("again", came.ok and any(box.running and not box.attrs["RestartCount"] for box in apps), told)


def _scale_values(draw: Draw) -> Mapping[str, Any]:
    return {
        "project": draw.name("project"),
        "count": draw.number("count", 3, 5),
        "mib": draw.number("mib", 24, 64, 8),
        "token": draw.token("token"),
    }


def _scale(site: Site, me: Values) -> Iterator[Found]:
    boxes = [box for box in _boxes(site, me.project, "api") if box.running]
    yield Found("count", len(boxes) == me.count, str(len(boxes)), str(me.count))
    if not boxes:
        return
    limits = sorted({int(box.host["Memory"] or 0) // MiB for box in boxes})
    yield Found("limit", limits == [me.mib], _("limits in MiB: {limits}").format(limits=limits), str(me.mib))
    network = next(iter(boxes[0].networks), "none")
    script = f"nslookup api 2>/dev/null | grep -c '^Address.*[0-9]$'; for i in $(seq {me.count * 6}); do wget -q -T 2 -O - http://api:8000/; done"
    said = site.probe("sh", "-c", script, options=("--network", network), timeout_s=30).text.split()
    names = {word for word in said[1:] if word.startswith(me.token)}
    told = _("{count} different containers answered").format(count=len(names))
    yield Found("answers", len(names) >= 2, told, _("several, as http://api:8000/ in their network"))
    ports = sorted({port for box in boxes for port in _published(box)})
    yield Found("closed", not ports, _("published: {ports}").format(ports=", ".join(ports)) if ports else "")


def _override_values(draw: Draw) -> Mapping[str, Any]:
    return {"project": draw.name("project"), "token": draw.token("token"), "port": draw.number("port", 18100, 18900)}


def _override(site: Site, me: Values) -> Iterator[Found]:
    boxes = [box for box in _boxes(site, me.project, "web") if box.running]
    yield Found("runs", bool(boxes), _states(boxes, "web"), _("a service web that runs"))
    if not boxes:
        return
    box = boxes[0]
    wanted = [f"{me.port}→8000"]
    yield Found("port", _published(box) == wanted, ", ".join(_published(box)) or _("none"), ", ".join(wanted))
    policy = box.host["RestartPolicy"]["Name"] or "no"
    yield Found("policy", policy == "unless-stopped", policy, "unless-stopped")
    page = site.ask(f"http://127.0.0.1:{me.port}/", "host", within_s=3)
    mode = f"production {me.token}"
    yield Found("mode", page.text == mode, page.text or _("no answer"), mode)
    file = f"{me.project}/compose.yaml"
    config = site.docker("compose", "--file", file, "--project-name", me.project, "config", "--format", "json")
    base = json.loads(config.text)["services"]["web"] if config.ok else {}
    same = (
        [each["published"] for each in base.get("ports", [])] == ["18080"]
        and base.get("environment", {}).get("MODE") == "development"
        and base.get("environment", {}).get("TOKEN") == me.token
        and "restart" not in base
    )
    yield Found("base", same, _("whether compose.yaml by itself is as it was"))


LAB = LabTasks(
    number=5,
    images=("alpine:3.19",),
    tasks=(
        Task(
            name="repair",
            values=_repair_values,
            look=_repair,
            files={
                "«project»/compose.yaml": "services:\n  pages:\n    image: alpine:3.19\n    volumes:\n      - site:/site\n    command: sh -c 'echo $TOKEN > /site/index.html'\n    environment:\n      TOKEN: «token»\n  web:\n    image: alpine:3.19\n    depends_on:\n      page:\n        condition: service_completed_successfully\n    volumes:\n      - site:/srv\n    command: httpd -f -p 8000 -h /www\n    ports:\n      - \"8000:«port»\"\nvolumes:\n  site:\n",
            },
            claims=(
                Claim("web", _("the web server runs")),
                Claim("pages", _("the page has been written")),
                Claim("page", _("the page is served where it is wanted"), 2),
                Claim("again", _("all that comes from the Compose file"), 2, hidden=True),
            ),
            sheet=_(
                "The Compose project in the folder **`«project»`** (and of that name) is broken in four places. Repair `compose.yaml` and bring it up: `pages` writes the page `«token»` into a volume and ends, then `web` serves it at port **«port»** of the host."
            ),
            hints=(
                _("`docker compose config` finds the first fault, and what it prints shows the second."),
                _(
                    "`$TOKEN` in a Compose file is replaced by Compose, from *your* environment. What leaves it to the container?"
                ),
                _(
                    "`docker compose logs`, and `docker compose exec web ls /srv /www`; in `ports`, the host's port is on the left."
                ),
            ),
        ),
        Task(
            name="order",
            values=_order_values,
            look=_order,
            files={
                "«project»/store.sh": "# Takes a moment to begin with, as databases do; then answers on port 7000.\nsleep 2\nmkdir -p /tmp/www && echo «token» > /tmp/www/index.html\nexec httpd -f -p 7000 -h /tmp/www\n",
                "«project»/app.sh": "# Asks the store once, and gives up if it does not answer.\nanswer=$(wget -q -T 1 -O - http://store:7000/) || { echo gave up; exit 1; }\necho connected $answer\nexec sleep 9999\n",
            },
            claims=(
                Claim("store", _("the store is healthy")),
                Claim("app", _("the app runs")),
                Claim("connected", _("the app has reached the store")),
                Claim("first", _("at its first attempt"), 2),
                Claim("again", _("it does so every time"), hidden=True),
            ),
            sheet=_(
                "The folder **`«project»`** has two scripts: `store.sh` needs a moment before it answers, `app.sh` asks it once and gives up. Write `compose.yaml` there, with the services **store** and **app** (both `alpine:3.19`, the scripts mounted), and bring the project **«project»** up so that `app` is started once, when the store answers. The scripts stay as they are, and no restart policy helps."
            ),
            hints=(
                _("`depends_on: [store]` waits until the store's container is *started*."),
                _("`depends_on` has a long form with a condition; which one needs a health check of the store?"),
                _(
                    '`healthcheck: {test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:7000/"], interval: 1s, retries: 20}`'
                ),
            ),
        ),
        Task(
            name="scale",
            values=_scale_values,
            look=_scale,
            files={
                "«project»/serve.sh": "mkdir -p /tmp/www && echo «token»-$(hostname) > /tmp/www/index.html\nexec httpd -f -p 8000 -h /tmp/www\n",
                "«project»/compose.yaml": 'services:\n  api:\n    image: alpine:3.19\n    container_name: «project»-api\n    volumes:\n      - ./serve.sh:/serve.sh:ro\n    command: sh /serve.sh\n    ports:\n      - "18000:8000"\n',
            },
            claims=(
                Claim("count", _("there are as many as are wanted"), 2),
                Claim("limit", _("each is limited")),
                Claim("answers", _("they answer under one name"), 2),
                Claim("closed", _("none is published"), hidden=True),
            ),
            sheet=_(
                "The project in **`«project»`** has one service, `api`, and cannot be scaled. Change `compose.yaml` and bring the project **«project»** up with **«count»** containers of `api`, each limited to **«mib» MiB** of memory. Nobody outside needs them: other containers of their network ask `http://api:8000/`."
            ),
            hints=(
                _("`docker compose up -d --scale api=3` says what is in the way, one thing after the other."),
                _("Two containers cannot have one name, nor one port of the host."),
                _("`mem_limit: 32m`, or `deploy.resources.limits.memory`; `deploy.replicas` instead of `--scale`."),
            ),
        ),
        Task(
            name="override",
            values=_override_values,
            look=_override,
            files={
                "«project»/compose.yaml": 'services:\n  web:\n    image: alpine:3.19\n    environment:\n      MODE: development\n      TOKEN: «token»\n    command: [sh, -c, "mkdir /www; echo $$MODE $$TOKEN > /www/index.html; exec httpd -f -p 8000 -h /www"]\n    ports:\n      - "18080:8000"\n',
            },
            claims=(
                Claim("runs", _("it runs")),
                Claim("port", _("it is published at that port and no other"), 2),
                Claim("policy", _("its restart policy is as wanted")),
                Claim("mode", _("it runs in production")),
                Claim("base", _("the file for development is as it was"), hidden=True),
            ),
            sheet=_(
                "The folder **`«project»`** has a `compose.yaml` for development. Leave it as it is, write a second file, and bring the project **«project»** up from both: `web` runs with `MODE=production`, the restart policy `unless-stopped`, and is published at port **«port»** instead of 18080."
            ),
            hints=(
                _("`docker compose -f compose.yaml -f compose.prod.yaml config` shows what comes out of the two."),
                _("Maps are merged key by key; lists are appended. What becomes of `ports`?"),
                _("`ports: !override` replaces a list."),
            ),
        ),
    ),
)
