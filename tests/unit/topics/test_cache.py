import zipfile
from pathlib import Path

from docker_tutor.topics.cache import EXPERIMENTS, LABELS, LINES, ORACLE, Cell, Grid, wheel
from docker_tutor.topics.cache_experiments import Bench
from docker_tutor.topics.cache_stale import Fetched, StaleRun


def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "c", "n0nce")
    made.reset()
    return made


def state(made: Bench) -> tuple[object, ...]:
    status = made.app.stat()
    files = tuple((path.name, path.read_text()) for path in sorted(made.folder.iterdir()))
    return files, status.st_mode, status.st_mtime_ns, made.dockerfile(), dict(made.arguments), made.secret.read_text()


def test_every_experiment_but_the_control_changes_something_and_a_reset_undoes_it(tmp_path: Path) -> None:
    made = bench(tmp_path)
    before = state(made)
    for experiment in EXPERIMENTS:
        experiment.change(made)
        assert (state(made) == before) == (experiment.key == "nothing"), experiment.key
        made.reset()
        assert state(made) == before


def test_the_treacherous_edit_keeps_size_and_time(tmp_path: Path) -> None:
    made = bench(tmp_path)
    before = made.app.stat()
    [edit] = [experiment for experiment in EXPERIMENTS if experiment.key == "same mtime"]
    text = made.app.read_text()
    edit.change(made)
    after = made.app.stat()
    assert made.app.read_text() != text
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_the_experiments_names_and_lines_are_known() -> None:
    keys = [experiment.key for experiment in EXPERIMENTS]
    assert len(set(keys)) == len(keys)
    assert set(ORACLE) < set(keys)
    assert list(LABELS) == list(LINES)
    assert all(set(experiment.runs) <= set(LINES) for experiment in EXPERIMENTS)


def grid() -> Grid:
    cells = tuple(
        Cell(line, experiment, state, 0.1, cause, "because")
        for line, experiment, state, cause in [
            ("a", "x", "cached", "unchanged"),
            ("b", "x", "ran", "files"),
            ("a", "y", "cached", "secret"),
            ("b", "y", "cached", "unchanged"),
        ]
    )
    return Grid(
        {"a": "A", "b": "B"},
        {"x": "X", "y": "Y"},
        cells,
        {"x": 9, "y": 1},
        {"x": frozenset({"b"}), "y": frozenset("b")},
    )


def test_a_surprise_is_an_experiment_that_the_rules_do_not_foresee() -> None:
    assert grid().surprises == ("y",)


def test_a_part_of_the_grid_is_a_grid() -> None:
    part = grid().only(["x"])
    assert part.surprises == ()
    assert part.to_frame().to_dict("records") == [{"experiment": "X", "A": "cached", "B": "ran"}]


def test_only_what_needs_a_reason_gets_one() -> None:
    assert [(row["experiment"], row["line"]) for row in grid().why().to_dict("records")] == [("X", "B"), ("Y", "A")]


def test_a_wheel_is_a_wheel(tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel(tmp_path)) as archive:
        assert "greeting.py" in archive.namelist()
        assert archive.read("greeting-1.0.dist-info/METADATA").startswith(b"Metadata-Version")


def stale(*answers: float) -> StaleRun:
    return StaleRun(tuple(Fetched(str(n), "ran", answer) for n, answer in enumerate(answers)))


def test_stale_means_the_first_answer_again_and_cured_means_new_ones() -> None:
    assert (stale(1, 1, 2, 3).stale, stale(1, 1, 2, 3).cured) == (True, True)
    assert (stale(1, 2, 3, 4).stale, stale(1, 1, 2, 2).cured) == (False, False)
