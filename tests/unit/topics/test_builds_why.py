from collections.abc import Mapping, Sequence

import pytest

from docker_tutor.topics.builds_source import File, Inputs, read_dockerfile
from docker_tutor.topics.builds_trace import Step, Trace
from docker_tutor.topics.builds_why import explain

DOCKERFILE = """FROM alpine AS tools
RUN make tool
FROM alpine
ARG V=1
COPY list ./
RUN --mount=type=secret,id=token install
COPY . .
COPY --from=tools /tool /
RUN build $V
"""
FILES = {"list": File("1", 0o100644, 1, 0), "app": File("2", 0o100644, 1, 0)}


def inputs(
    text: str = DOCKERFILE,
    files: Mapping[str, File] = FILES,
    arguments: Mapping[str, str] | None = None,
    secret: str = "s",  # noqa: S107 (a prop)
    options: Sequence[str] = (),
) -> Inputs:
    return Inputs(read_dockerfile(text, arguments), files, {"token": secret}, tuple(options))


def trace(given: Inputs, *ran: str) -> Trace:
    steps = [
        Step(line.text, "step", line.stage, line.position, line.text, line.text, (), 0, 1, state)
        for line in given.lines
        if line.position and line.keyword != "FROM"
        for state in ["ran" if line.text in ran else "cached"]
    ]
    return Trace(tuple(steps), 1.0, 0)


def causes(before: Inputs, after: Inputs, *ran: str) -> dict[str, str]:
    return {reason.instruction: reason.cause for reason in explain(before, after, trace(after, *ran)).all}


def test_nothing_changed_is_unchanged() -> None:
    assert set(causes(inputs(), inputs()).values()) == {"unchanged"}


def test_the_first_changed_file_is_the_reason_and_what_follows_ran_because_of_it() -> None:
    after = inputs(files={**FILES, "app": File("3", 0o100644, 1, 1)})
    rest = ("COPY . .", "COPY --from=tools /tool /", "RUN build $V")
    found = causes(inputs(), after, *rest)
    assert [found[line] for line in rest] == ["files", "above", "above"]
    assert found["COPY list ./"] == "unchanged"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({**FILES, "app": File("3", 0o100644, 1, 1)}, "app has other content"),
        ({**FILES, "app": File("2", 0o100755, 1, 1)}, "app had mode 644 and has 755"),
        ({**FILES, "new": File("2", 0o100755, 1, 1)}, "new is new"),
        ({"list": FILES["list"]}, "app is gone"),
    ],
)
def test_the_sentence_names_the_file_and_what_is_different(files: Mapping[str, File], said: str) -> None:
    after = inputs(files=files)
    reasons = explain(inputs(), after, trace(after, "COPY . ."))
    assert said in {reason.sentence for reason in reasons.all}


def test_a_variable_in_scope_is_a_reason() -> None:
    assert causes(inputs(), inputs(arguments={"V": "2"}), "RUN build $V")["RUN build $V"] == "variable"


def test_another_text_is_a_reason() -> None:
    after = inputs(DOCKERFILE.replace("build $V", "build  $V # again"))
    assert causes(inputs(), after, "RUN build  $V # again")["RUN build  $V # again"] == "text"


def test_a_line_that_stood_elsewhere_was_moved() -> None:
    swapped = DOCKERFILE.replace("COPY . .\nCOPY --from=tools /tool /\n", "COPY --from=tools /tool /\nCOPY . .\n")
    assert causes(inputs(), inputs(swapped), "COPY . .")["COPY . ."] == "moved"


def test_a_line_without_a_forerunner_is_new() -> None:
    after = inputs(DOCKERFILE + "WORKDIR /x\n")
    assert causes(inputs(), after, "WORKDIR /x")["WORKDIR /x"] == "new"


def test_a_stage_that_made_other_files_is_a_reason_and_one_that_made_the_same_is_none() -> None:
    after = inputs(DOCKERFILE.replace("make tool", "make tool # again"))
    copy = "COPY --from=tools /tool /"
    assert causes(inputs(), after, "RUN make tool # again", copy)[copy] == "stage"
    assert causes(inputs(), after, "RUN make tool # again")[copy] == "same output"


def test_a_secrets_value_is_no_reason() -> None:
    assert causes(inputs(), inputs(secret="t"))["RUN --mount=type=secret,id=token install"] == "secret"


def test_other_content_that_was_not_seen_is_called_stale() -> None:
    after = inputs(files={**FILES, "app": File("3", 0o100644, 1, 0)})
    assert causes(inputs(), after)["COPY . ."] == "stale"


@pytest.mark.parametrize("option", ["--no-cache", "--no-cache-filter=tools"])
def test_being_told_not_to_look_comes_before_all_other_reasons(option: str) -> None:
    after = inputs(options=[option])
    assert causes(inputs(), after, "RUN make tool")["RUN make tool"] == "told"


def test_a_filter_for_one_stage_is_no_reason_for_another() -> None:
    after = inputs(options=["--no-cache-filter=tools"])
    assert causes(inputs(), after, "COPY list ./")["COPY list ./"] == "forgotten"


def test_no_difference_at_all_means_that_the_cache_forgot() -> None:
    assert causes(inputs(), inputs(), "COPY list ./")["COPY list ./"] == "forgotten"


def test_a_bind_mount_of_the_context_counts_its_files() -> None:
    text = "FROM a\nRUN --mount=type=bind,target=/src build\n"
    after = inputs(text, files={**FILES, "app": File("3", 0o100644, 1, 1)})
    run = "RUN --mount=type=bind,target=/src build"
    assert causes(inputs(text), after, run)[run] == "files"


def test_the_reasons_make_a_table() -> None:
    frame = explain(inputs(), inputs(), trace(inputs())).to_frame()
    assert list(frame.columns) == ["line", "state", "cause", "why"]


def test_one_lines_reason_is_found_by_its_beginning() -> None:
    reasons = explain(inputs(), inputs(), trace(inputs()))
    assert reasons.of("COPY list").cause == "unchanged"
    with pytest.raises(KeyError):
        reasons.of("ADD")


def test_a_folders_mode_is_no_reason() -> None:
    folder = {**FILES, "d": File("", 0o040755, 0, 0)}
    after = inputs(files={**FILES, "d": File("", 0o040700, 0, 1), "app": File("3", 0o100644, 1, 1)})
    assert explain(inputs(files=folder), after, trace(after, "COPY . .")).of("COPY . .").sentence.startswith("app ")
    only = inputs(files={**FILES, "d": File("", 0o040700, 0, 1)})
    assert causes(inputs(files=folder), only)["COPY . ."] == "unchanged"


def test_a_change_that_an_earlier_build_has_seen_is_known() -> None:
    after = inputs(files={**FILES, "app": File("2", 0o100755, 1, 0)})
    assert causes(inputs(), after)["COPY . ."] == "known"
