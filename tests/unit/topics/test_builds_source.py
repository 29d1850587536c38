from pathlib import Path

from docker_tutor.topics.builds_source import read_context, read_dockerfile


def test_continued_lines_are_one_instruction_and_comments_are_none() -> None:
    lines = read_dockerfile("# syntax\nFROM a\nRUN one && \\\n  # why\n  two\n\nCOPY x y\n")
    assert [line.text for line in lines] == ["FROM a", "RUN one && two", "COPY x y"]


def test_a_here_document_belongs_to_its_run() -> None:
    lines = read_dockerfile("FROM a\nRUN <<EOF\napt-get update\nEOF\nCMD x")
    assert [line.keyword for line in lines] == ["FROM", "RUN", "CMD"]
    assert "apt-get update" in lines[1].text


def test_stages_are_counted_as_buildkit_counts_them() -> None:
    lines = read_dockerfile("FROM a AS one\nRUN x\nFROM b\nENV K=v\nRUN y\nFROM c as three\nRUN z")
    assert [(line.stage, line.position) for line in lines if line.keyword == "RUN"] == [
        ("one", 2),
        ("stage-1", 2),
        ("three", 2),
    ]


def test_a_run_sees_every_argument_and_variable_above_it() -> None:
    run = read_dockerfile("ARG BASE=a\nFROM $BASE\nARG A=1\nENV B=$A C=3\nRUN x\nARG LATE=9", {"A": "2"})[-2]
    assert run.sees() == {"A": "2", "B": "2", "C": "3"}


def test_a_copy_sees_only_what_it_names() -> None:
    copy = read_dockerfile("FROM a\nARG A=1\nARG B=2\nCOPY ${A} /x")[-1]
    assert copy.sees() == {"A": "1"}


def test_a_stage_built_on_another_starts_with_its_variables() -> None:
    run = read_dockerfile("FROM a AS one\nENV K=v\nFROM one\nRUN x")[-1]
    assert run.sees() == {"K": "v"}


def test_the_old_form_of_env_is_read() -> None:
    assert read_dockerfile("FROM a\nENV NAME two words\nRUN x")[-1].sees() == {"NAME": "two words"}


def test_flags_and_sources_are_told_apart() -> None:
    copy = read_dockerfile("FROM a\nCOPY --from=b --chown=1:1 x y /z/")[-1]
    assert copy.flags == {"from": "b", "chown": "1:1"}
    assert copy.sources == ("x", "y")


def test_two_mounts_are_both_kept() -> None:
    run = read_dockerfile("FROM a\nRUN --mount=type=secret,id=k --mount=type=cache,target=/c x")[-1]
    assert run.flags["mount"] == "type=secret,id=k type=cache,target=/c"


def test_the_context_leaves_out_what_dockerignore_names(tmp_path: Path) -> None:
    for name in ("app.py", "build.log", ".git/HEAD"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".dockerignore").write_text("# what a build need not see\n.git\n*.log\n")
    assert set(read_context(tmp_path)) == {".dockerignore", "app.py"}


def test_content_and_mode_make_a_file_the_same_and_its_time_does_not(tmp_path: Path) -> None:
    import os

    path = tmp_path / "f"
    path.write_text("a")
    path.chmod(0o644)
    before = read_context(tmp_path)["f"]
    os.utime(path, (1, 1))
    assert read_context(tmp_path)["f"].same_content(before)
    path.chmod(0o755)
    assert not read_context(tmp_path)["f"].same_content(before)


def test_a_link_counts_by_where_it_points(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("nowhere")
    first = read_context(tmp_path)["l"]
    (tmp_path / "l").unlink()
    (tmp_path / "l").symlink_to("elsewhere")
    assert not read_context(tmp_path)["l"].same_content(first)
