"""Everything that CI runs, as a list of steps: the cheap and telling ones first, those that fill the gaps last.

All of them together are run in lanes side by side (see `lanes`). What few tests fail is tried again at the end, when
nothing else runs (see `attempts`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from docker_tutor import paths
from docker_tutor.dev import actionlint, attempts, lanes, rotation, sanitize, testengine
from docker_tutor.dev.foreign import STORES
from docker_tutor.errors import DockerTutorError
from docker_tutor.progress import Report, silent
from docker_tutor.units import human_seconds

__all__ = ["PARTS", "Result", "Step", "nbval_command", "run", "run_beside", "steps", "summary"]

PARTS = ("lint", "unit", "foreign", "engine", "labs", "notebooks", "browser")
NEVER_AGAIN = ("lint", "unit")
"""What fails in these parts fails again: nothing else has a hand in them."""
CELL_TIMEOUT_S = 300
DEMONSTRATIONS = tuple(
    f"tests/engine/test_{subject}.py"
    for subject in ("cgroups", "namespaces", "networks", "layers", "overlay", "builds", "volumes", "backups")
)
"""What every engine must be able to show; the other tests on the engine are about engines, or break theirs."""
ENGINE = {
    "virtual machines": r"/test_vm_",
    "checks fail when a gateway lies": r"/test_lies_",
    "engines of their own kinds": r"/test_(foreign|private|rootless|spare|start|existing|elsewhere|learners)",
    "demonstrations": r"engine/test_(?!classroom)",
    "gateway, rooms and images": "",
}
"""The tests on the engine in steps of a few minutes: a name, and a pattern for paths, of those that are left then."""
LABS = {
    "grading: hostile notebooks": r"/test_hostile",
    "grading: many, and nbgrader": r"/test_(many|nbgrader)",
    "labs: answers and solutions": "",
}
SHORT = ("00-start-here", "01-vm-vs-container", "02-architecture", "04-multi-stage")
"""Of these a quick suite kills one half-way and runs it again; a whole one does so with all notebooks."""
GUESTS = ("00-start-here", "02-architecture", "04-multi-stage", "06-layers-and-caching")
"""Of these a quick suite runs one on somebody's engine, with the store that ours does not have."""
LAST = 3
"""So many notebooks, which take a minute or two each, are the last steps of all."""
TOPICS_ONE_IN = 3
"""A quick suite shows this part of the topics on somebody's engine; on the private one it shows them all."""
STOPS_WITHIN_S = 120

Say = Callable[[str], None]

_SLOWEST = ("--durations=10",)

_NBVAL = (
    "-p",
    "docker_tutor.dev.hanging",
    "-p",
    "docker_tutor.dev.tried",
    "--nbval",
    f"--nbval-sanitize-with={sanitize.config_path()}",
    f"--nbval-cell-timeout={CELL_TIMEOUT_S}",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the suite."""

    name: str
    part: str
    command: tuple[str, ...]
    missing: str = ""
    """Why it cannot be run on this machine; it is left out then, and fails nothing."""
    engine: str = ""
    """The test engine that has to be up (see `testengine`); none when empty."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a step went."""

    name: str
    failed: bool = False
    seconds: float = 0
    note: str = ""
    """What a person should know: why it was left out, or what is wrong."""
    passed: int = 0
    broken: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    """What failed, with the words it failed with; also what passed the second time."""


def run(part: str, pytest_arguments: Sequence[str], *, say: Say, report: Report = silent) -> list[Result]:
    """Run the steps of `part` (or `all`), whatever fails on the way, and end with a summary.

    `say` gets a line for each step, `report` the engine's start. Steps on the same engine share one, which is down at
    the end. A failing step raises nothing: its result says so. All parts together run in lanes where there is room.
    """
    before = testengine.processes()
    planned = list(steps(part, pytest_arguments))
    if part == "all" and lanes.number() > 1:
        with lanes.beside(pytest_arguments, say) as others:
            results = _carry_out_all(_claimed(planned), say, report)
        results += [result for lane in others for result in _told_by(lane)]
        order = [step.name for step in planned]
        results.sort(key=lambda each: order.index(each.name) if each.name in order else len(order))
    else:
        results = _carry_out_all(planned, say, report)
    results = _once_more(planned, results, say, report)
    results.append(_nothing_left(before))
    for line in summary(results):
        say(line)
    return results


def run_beside(file: Path, pytest_arguments: Sequence[str], *, say: Say, report: Report = silent) -> None:
    """Run, as one of the other lanes, the steps that it claims, each once; leave their results in `file`."""
    before = testengine.processes()
    results = _carry_out_all(_claimed(steps("all", pytest_arguments)), say, report)
    name = f"nothing left of lane {os.environ[testengine.LANE]}"
    results.append(replace(_nothing_left(before), name=name))
    file.write_text(json.dumps([asdict(each) for each in results]), encoding="utf-8")


def steps(part: str, pytest_arguments: Sequence[str]) -> Iterator[Step]:
    """Yield the steps of `part` (or `all`) in order."""
    if part in {"all", "lint"}:
        yield from _lint()
    arguments = tuple(pytest_arguments)
    yield from (step for step in _tests(arguments, split=part == "all") if part in {"all", step.part})


def summary(results: Sequence[Result]) -> list[str]:
    """Return what failed and why, then one line for each step, and a last one with the number of tests."""
    # Once more at the end: of a long log, only the end is sure to be seen.
    lines = ["", *(line for result in results for line in result.failures)]
    for result in results:
        mark = "✗" if result.failed else "–" if result.note and not result.passed else "✓"
        lines.append(f"{mark} {result.name:34} {human_seconds(result.seconds):>12}  {result.note}".rstrip())
    passed, broken, skipped = (sum(getattr(r, name) for r in results) for name in ("passed", "broken", "skipped"))
    # Steps that are no pytest count as one test each: a lint error must not read "0 failed".
    others = [result for result in results if not (result.passed or result.broken or result.skipped)]
    passed += sum(not result.failed and not result.note for result in others)
    broken += sum(result.failed for result in others)
    return [*lines, f"{passed} passed, {broken} failed, {skipped} skipped"]


def _lint() -> Iterator[Step]:
    python = sys.executable
    yield Step("ruff: lint", "lint", (python, "-m", "ruff", "check", "--quiet"))
    yield Step("ruff: format", "lint", (python, "-m", "ruff", "format", "--check", "--quiet"))
    yield Step("mypy", "lint", (python, "-m", "mypy"))
    yield Step("arrows (import-linter)", "lint", (str(Path(python).with_name("lint-imports")), "--no-logo"))
    found = actionlint.program()
    missing = found if isinstance(found, str) else ""
    yield Step("actionlint", "lint", (str(found), "-color"), missing)


def _tests(arguments: tuple[str, ...], *, split: bool) -> Iterator[Step]:
    """Yield the steps with tests; `split` into steps of a few minutes, which lanes can share."""
    yield Step("unit tests", "unit", _pytest("unit", "--doctest-modules", "tests/unit", "docker_tutor", *arguments))
    yield from _foreign(arguments)
    for part, names in (("engine", ENGINE), ("labs", LABS)):
        for name, files in _grouped(f"tests/{part}", names) if split else [(f"tests: {part}", [f"tests/{part}"])]:
            yield Step(name, part, _pytest(name, *_SLOWEST, *files, *arguments), engine="private")
    few = ("-k", " or ".join((*rotation.of_today(SHORT, len(SHORT)), "not test_again"))) if rotation.is_quick() else ()
    again = _pytest("again", *_SLOWEST, "tests/notebooks", *few, *arguments)
    yield Step("notebooks, killed and again", "notebooks", again, engine="private")
    found = sorted((paths.checkout() / "notebooks").glob("*.ipynb"), reverse=True)
    # Short ones last: they fill the gaps when a lane has nothing else left.
    yield from (_compared(path, arguments) for path in found[:-LAST] if split)
    # It starts the course as a learner does, with an engine of its own; and once the machines that chapter 1 measures
    # are made, which takes longer than a reader should have to look at it. A lane's engine stays up meanwhile.
    browser = _pytest("browser", *_SLOWEST, "tests/browser", *arguments)
    yield Step("the course in a browser", "browser", browser, _without_a_browser(), "private" if split else "")
    yield from (_compared(path, arguments) for path in (found[-LAST:] if split else [found[0].parent]))


def _compared(path: Path, arguments: tuple[str, ...]) -> Step:
    """Return the step that runs the notebook, or all in a folder, and compares outputs."""
    words = (*_NBVAL, str(path.relative_to(paths.checkout())), *arguments)
    return Step(f"outputs compared: {path.stem}", "notebooks", _pytest(f"nbval-{path.stem}", *words), engine="private")


def _grouped(folder: str, names: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the test files below `folder`, each in the first group of `names` whose pattern it matches."""
    root = paths.checkout()
    files = [str(path.relative_to(root)) for path in sorted((root / folder).rglob("test_*.py"))]
    for name, pattern in names.items():
        group = [file for file in files if re.search(pattern, file)]
        files = [file for file in files if file not in group]
        yield name, group


def _foreign(arguments: tuple[str, ...]) -> Iterator[Step]:
    """Yield the demonstrations and the notebooks as guests on somebody's engine, with either image store.

    A quick suite shows some of the topics with one store and a notebook with the other.
    """
    quick = rotation.is_quick()
    few = [f"notebooks/{name}.ipynb" for name in rotation.of_today(GUESTS, len(GUESTS))]
    notebooks = few if quick else ["notebooks"]
    topics = rotation.of_today(DEMONSTRATIONS, TOPICS_ONE_IN) if quick else DEMONSTRATIONS
    for store in STORES:
        tests = _pytest(f"guest-{store}", *topics, *arguments)
        if store == "graph" or not quick:
            yield Step(f"as a guest ({store}): topics", "foreign", tests, engine=store)
        nbval = _pytest(f"nbval-{store}", *_NBVAL, *notebooks, *arguments)
        if store == "containerd" or not quick:
            yield Step(f"as a guest ({store}): notebooks", "foreign", nbval, engine=store)


def _without_a_browser() -> str:
    """Say what is missing for looking at the course in a browser; nothing when all is there."""
    if find_spec("playwright") is None:
        return "Playwright is not installed here: pip install --require-hashes -r requirements-dev.txt brings it"
    if shutil.which("chromium") is None:
        return "chromium is not in PATH: apt-get install chromium brings it"
    return ""


def nbval_command(path: Path) -> tuple[str, ...]:
    """Return the command that runs one notebook and compares its outputs, strictly."""
    return (sys.executable, "-m", "pytest", "--color=no", *_NBVAL, str(path))


def _pytest(name: str, *arguments: str) -> tuple[str, ...]:
    cache = ("-o", f"cache_dir={_counts_path(name).with_suffix('.cache')}")
    # It imports half of Jupyter, for two seconds and more.
    without = () if "--nbval" in arguments else ("-p", "no:nbval")
    return (sys.executable, "-m", "pytest", f"--junitxml={_counts_path(name)}", *cache, *without, *arguments)


def _counts_path(name: str) -> Path:
    return paths.checkout() / "test-artefacts" / f"{re.sub(r'[^a-z0-9-]+', '-', name)}.xml"


def _claimed(planned: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps that no other lane has, each claimed at the moment when it is asked for."""
    return (step for step in planned if lanes.claim(step.name))


def _carry_out_all(planned: Iterable[Step], say: Say, report: Report) -> list[Result]:
    results: list[Result] = []
    for engine, group in groupby(planned, attrgetter("engine")):
        try:
            with testengine.running(report, engine) if engine else nullcontext():
                for step in group:
                    say(f"\n── {step.name} ──")
                    results.append(_carry_out(step))
        except DockerTutorError as error:
            results.append(Result(f"engine: {engine}", failed=True, note=str(error)))
    return results


def _told_by(lane: lanes.Lane) -> list[Result]:
    told = [Result(**each | {"failures": tuple(each["failures"])}) for each in lane.finished()]
    note = f"it ended with {lane.process.returncode} and no results"
    return told or [Result(f"lane {lane.name}", failed=True, note=note)]


def _once_more(planned: Sequence[Step], results: Sequence[Result], say: Say, report: Report) -> list[Result]:
    """Try again what failed in parts of which few tests did; return the results with what came of it."""
    by_name = {step.name: step for step in planned if step.part not in NEVER_AGAIN}
    failed = {
        each.name: attempts.names(attempts.failed(Path(_option(by_name[each.name], "cache_dir="))))
        for each in results
        if each.failed and each.name in by_name
    }
    of_part: Counter[str] = Counter()
    for name, ids in failed.items():
        of_part[by_name[name].part] += len(ids)
    return [
        _second_attempt(by_name[each.name], failed[each.name], each, say, report)
        if failed.get(each.name) and of_part[by_name[each.name].part] <= attempts.FEW
        else each
        for each in results
    ]


def _carry_out(step: Step) -> Result:
    if step.missing:
        return Result(step.name, note=step.missing)
    began = time.monotonic()
    attempts.forget(Path(_option(step, "cache_dir=")))
    return replace(_attempt(step), seconds=time.monotonic() - began)


def _attempt(step: Step) -> Result:
    with subprocess.Popen(step.command, cwd=paths.checkout(), stdin=subprocess.DEVNULL) as running:
        try:
            running.wait()
        except KeyboardInterrupt as interrupt:
            if isinstance(interrupt, testengine.Ended):
                running.terminate()
            # Else the terminal told it as well. Killed now, as subprocess.run would, it could not take its engine down.
            running.wait(STOPS_WITHIN_S)
            raise
    result = Result(step.name, failed=running.returncode != 0)
    counts = _option(step, "--junitxml=")
    return _with_counts(result, Path(counts)) if counts else result


def _second_attempt(step: Step, names: Sequence[str], first: Result, say: Say, report: Report) -> Result:
    say(f"\n── once more: {', '.join(names)} ──")
    command = attempts.second(step.command, names, paths.checkout())
    try:
        with testengine.running(report, step.engine) if step.engine else nullcontext():
            second = _attempt(replace(step, command=command))
    except DockerTutorError as error:
        return replace(first, note=f"and for a second attempt there was no engine: {error}")
    if second.failed:
        return replace(first, failures=(*first.failures, *second.failures))
    return replace(
        first,
        failed=False,
        passed=first.passed + first.broken,
        broken=0,
        note=f"only the second time: {', '.join(names)}",
    )


def _option(step: Step, start: str) -> str:
    return next((word.removeprefix(start) for word in step.command if word.startswith(start)), "")


def _with_counts(result: Result, path: Path) -> Result:
    if not path.exists():
        return replace(result, failed=True, note="pytest ended before it counted anything")
    suites = ET.parse(path).getroot().iter("testsuite")  # noqa: S314 (written by our own pytest)
    total = broken = skipped = 0
    failures: list[str] = []
    for suite in suites:
        total += int(suite.get("tests", 0))
        broken += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
        failures += (told for case in suite.iter("testcase") if (told := attempts.told(case)))
    path.unlink()
    return replace(result, passed=total - broken - skipped, broken=broken, skipped=skipped, failures=tuple(failures))


def _nothing_left(before: Sequence[str]) -> Result:
    left = [words for words in testengine.processes() if words not in before]
    note = f"still running: {'; '.join(words[:120] for words in left)}" if left else ""
    return Result("nothing left running", failed=bool(left), note=note)
