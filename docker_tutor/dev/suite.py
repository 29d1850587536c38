"""Everything that CI runs, as a list of steps in a sensible order: the cheap and telling ones first.

What few tests fail is tried again at the end, when nothing else runs (see `attempts`).
"""

import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from docker_tutor import paths
from docker_tutor.dev import actionlint, attempts, lanes, sanitize, testengine
from docker_tutor.dev.foreign import STORES
from docker_tutor.errors import DockerTutorError
from docker_tutor.progress import Report, silent
from docker_tutor.units import human_seconds

__all__ = ["PARTS", "Result", "Step", "nbval_command", "run", "run_beside", "steps", "summary"]

PARTS = ("lint", "unit", "engine", "labs", "browser", "notebooks", "foreign")
NEVER_AGAIN = ("lint", "unit")
"""What fails in these parts fails again: nothing else has a hand in them."""
BESIDE = ("labs", "browser", "notebooks")
"""The parts of the second lane, where there is room for two; with somebody's engines they are as long as the rest."""
CELL_TIMEOUT_S = 300
DEMONSTRATIONS = tuple(
    f"tests/engine/test_{subject}.py"
    for subject in ("cgroups", "namespaces", "networks", "layers", "overlay", "builds", "volumes", "backups")
)
"""What every engine must be able to show; the other tests on the engine are about engines, or break theirs."""
KILLED_IN_CI = ("00-start-here", "01-vm-vs-container")
"""The notebooks that a quick suite kills half-way and runs again; the whole suite does so with all."""
GUESTS_IN_CI = ("00-start-here", "07-networks-and-volumes")
"""The notebooks that a quick suite runs on somebody's engine."""
STOPS_WITHIN_S = 120

Say = Callable[[str], None]

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
    the end. A failing step raises nothing: its result says so. All parts together run in two lanes where there is room.
    """
    before = testengine.processes()
    planned = list(steps(part, pytest_arguments))
    if part == "all" and lanes.possible():
        with lanes.beside(pytest_arguments, say) as beside:
            results = _carry_out_all([step for step in planned if not _in_second_lane(step)], say, report)
        results += _told_by(beside)
    else:
        results = _carry_out_all(planned, say, report)
    results = _once_more(planned, results, say, report)
    results.append(_nothing_left(before))
    for line in summary(results):
        say(line)
    return results


def run_beside(file: Path, pytest_arguments: Sequence[str], *, say: Say, report: Report = silent) -> None:
    """Run the second lane's steps once and leave their results in `file`."""
    before = testengine.processes()
    planned = [step for step in steps("all", pytest_arguments) if _in_second_lane(step)]
    results = _carry_out_all(planned, say, report)
    results.append(replace(_nothing_left(before), name="nothing left of the second lane"))
    file.write_text(json.dumps([asdict(each) for each in results]), encoding="utf-8")


def steps(part: str, pytest_arguments: Sequence[str]) -> Iterator[Step]:
    """Yield the steps of `part` (or `all`) in order."""
    if part in {"all", "lint"}:
        yield from _lint()
    arguments = tuple(pytest_arguments)
    yield from (step for step in (*_tests(arguments), *_foreign(arguments)) if part in {"all", step.part})


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


def _tests(arguments: tuple[str, ...]) -> Iterator[Step]:
    yield Step("unit tests", "unit", _pytest("unit", "--doctest-modules", "tests/unit", "docker_tutor", *arguments))
    engine = _pytest("engine", "--durations=10", "tests/engine", *arguments)
    yield Step("tests on the engine", "engine", engine, engine="private")
    labs = _pytest("labs", "--durations=10", "tests/labs", *arguments)
    yield Step("labs and grading", "labs", labs, engine="private")
    # It starts the course as a learner does, with an engine of its own.
    browser = _pytest("browser", "--durations=10", "tests/browser", *arguments)
    yield Step("the course in a browser", "browser", browser, _without_a_browser())
    nbval = _pytest("nbval", *_NBVAL, "notebooks", *arguments)
    yield Step("notebooks, outputs compared", "notebooks", nbval, engine="private")
    few = ("-k", " or ".join((*KILLED_IN_CI, "not test_again"))) if _quick() else ()
    again = _pytest("again", "tests/notebooks", *few, *arguments)
    yield Step("notebooks, killed and again", "notebooks", again, engine="private")


def _foreign(arguments: tuple[str, ...]) -> Iterator[Step]:
    """Yield the demonstrations and the notebooks as guests on somebody's engine, with either image store.

    With `DOCKER_TUTOR_TESTS=quick`, as in CI, the topics are shown with one store and some notebooks with the other.
    """
    quick = _quick()
    notebooks = [f"notebooks/{name}.ipynb" for name in GUESTS_IN_CI] if quick else ["notebooks"]
    for store in STORES:
        tests = _pytest(f"guest-{store}", *DEMONSTRATIONS, *arguments)
        if store == "graph" or not quick:
            yield Step(f"as a guest ({store}): topics", "foreign", tests, engine=store)
        nbval = _pytest(f"nbval-{store}", *_NBVAL, *notebooks, *arguments)
        if store == "containerd" or not quick:
            yield Step(f"as a guest ({store}): notebooks", "foreign", nbval, engine=store)


def _in_second_lane(step: Step) -> bool:
    # One of somebody's two engines where each carries all notebooks; both where little is shown on them.
    return step.part in BESIDE or (step.part == "foreign" and (_quick() or step.engine == STORES[-1]))


def _without_a_browser() -> str:
    """Say what is missing for looking at the course in a browser; nothing when all is there."""
    if find_spec("playwright") is None:
        return "Playwright is not installed here: pip install --require-hashes -r requirements-dev.txt brings it"
    if shutil.which("chromium") is None:
        return "chromium is not in PATH: apt-get install chromium brings it"
    return ""


def _quick() -> bool:
    """Return whether the long repetitions are done for a few notebooks only: CI has half an hour."""
    return os.environ.get("DOCKER_TUTOR_TESTS") == "quick"


def nbval_command(path: Path) -> tuple[str, ...]:
    """Return the command that runs one notebook and compares its outputs, strictly."""
    return (sys.executable, "-m", "pytest", "--color=no", *_NBVAL, str(path))


def _pytest(name: str, *arguments: str) -> tuple[str, ...]:
    cache = ("-o", f"cache_dir={_counts_path(name).with_suffix('.cache')}")
    return (sys.executable, "-m", "pytest", f"--junitxml={_counts_path(name)}", *cache, *arguments)


def _counts_path(name: str) -> Path:
    return paths.checkout() / "test-artefacts" / f"{name}.xml"


def _carry_out_all(planned: Sequence[Step], say: Say, report: Report) -> list[Result]:
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


def _told_by(lane: "subprocess.Popen[bytes]") -> list[Result]:
    told = [Result(**each | {"failures": tuple(each["failures"])}) for each in lanes.finished(lane)]
    return told or [Result("the second lane", failed=True, note=f"it ended with {lane.returncode} and no results")]


def _once_more(planned: Sequence[Step], results: Sequence[Result], say: Say, report: Report) -> list[Result]:
    """Try again what failed in steps of which few tests did; return the results with what came of it."""
    by_name = {step.name: step for step in planned if step.part not in NEVER_AGAIN}
    return [
        _second_attempt(by_name[each.name], each, say, report) if each.failed and each.name in by_name else each
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


def _second_attempt(step: Step, first: Result, say: Say, report: Report) -> Result:
    ids = attempts.failed(Path(_option(step, "cache_dir=")))
    again = attempts.second(step.command, ids, paths.checkout())
    if again is None:
        return first
    command, names = again
    say(f"\n── once more: {', '.join(names)} ──")
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
