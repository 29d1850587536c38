"""Reading the stages out of a Dockerfile needs no engine."""

from docker_tutor.topics.builds_trace import Step, Trace
from docker_tutor.topics.stage_graph import Edge, read

TEXT = """\
FROM golang:1.22-alpine AS builder
RUN go build -o /server .

FROM builder AS tests
RUN go vet ./...

FROM node:20 AS pages
RUN --mount=type=bind,from=builder,source=/server,target=/server /server --pages

FROM scratch
COPY --from=0 /server /server
COPY --from=pages /pages /pages
COPY --from=alpine:3.19 /etc/ssl /etc/ssl
"""


def step(stage: str, state: str) -> Step:
    return Step("", "step", stage, 1, "RUN x", stage, (), 0.0, 1.0, state)  # type: ignore[arg-type]


def test_stages_are_read_in_their_order_and_one_without_a_name_is_counted() -> None:
    assert read(TEXT).stages == ("builder", "tests", "pages", "stage-3")


def test_what_a_stage_takes_is_an_edge_and_scratch_is_nothing() -> None:
    assert read(TEXT).edges == (
        Edge("golang:1.22-alpine", "builder", "FROM"),
        Edge("builder", "tests", "FROM"),
        Edge("node:20", "pages", "FROM"),
        Edge("builder", "pages", "RUN"),
        Edge("builder", "stage-3", "COPY"),
        Edge("pages", "stage-3", "COPY"),
        Edge("alpine:3.19", "stage-3", "COPY"),
    )


def test_images_are_what_is_no_stage() -> None:
    assert read(TEXT).images == ("golang:1.22-alpine", "node:20", "alpine:3.19")


def test_a_stage_that_nothing_takes_from_is_not_needed() -> None:
    graph = read(TEXT)
    assert graph.needed() == ("builder", "pages", "stage-3")
    assert graph.needed("tests") == ("builder", "tests")


def test_stages_of_which_neither_waits_for_the_other_are_independent() -> None:
    assert read(TEXT).independent() == (("tests", "pages"), ("tests", "stage-3"))


def test_a_stage_without_a_step_in_the_trace_was_skipped() -> None:
    trace = Trace((step("builder", "cached"), step("pages", "cached"), step("pages", "ran")), 1.0, 0)
    assert read(TEXT).fates(trace) == {"builder": "cached", "tests": "skipped", "pages": "ran", "stage-3": "skipped"}
