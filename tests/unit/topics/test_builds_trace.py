import base64
import json
from typing import Any

import pytest

from docker_tutor.topics.builds_trace import read_trace


def stamp(seconds: float) -> str:
    return f"2026-01-02T03:04:{seconds:012.9f}Z"


def vertex(name: str, start: float, end: float | None, *inputs: str, **more: Any) -> dict[str, Any]:
    said = {"digest": f"sha256:{name}", "name": name, "inputs": list(inputs), "started": stamp(start), **more}
    return said if end is None else {**said, "completed": stamp(end)}


def raw(*messages: dict[str, Any], indent: int | None = None) -> str:
    return "\n".join(json.dumps(message, indent=indent) for message in messages)


DEFINITION = vertex("[internal] load build definition from Dockerfile", 1, 1.1)
BASE = vertex("[1/3] FROM docker.io/library/alpine:3.19", 1.1, 1.2)
COPY = vertex("[2/3] COPY . .", 1.2, 1.25, BASE["digest"], cached=True)
RUN = vertex("[3/3] RUN make", 1.25, 3.25, COPY["digest"])
EXPORT = vertex("exporting to image", 3.25, 3.5)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_trace_is_read_whether_its_objects_stand_on_one_line_or_on_many(indent: int | None) -> None:
    trace = read_trace(raw({"vertexes": [DEFINITION, BASE]}, {"vertexes": [COPY, RUN, EXPORT]}, indent=indent))
    assert trace.ran == ("RUN make",)
    assert trace.cached == ("COPY . .",)
    assert trace.line("RUN").seconds == pytest.approx(2.0)
    assert trace.seconds == pytest.approx(2.5)


def test_the_clis_own_words_between_the_objects_are_passed_over() -> None:
    trace = read_trace("WARNING: {not json}\n" + raw({"vertexes": [RUN]}) + "\nERROR: failed {really}")
    assert trace.ran == ("RUN make",)


def test_steps_come_in_the_order_of_the_dockerfile_and_not_of_their_telling() -> None:
    trace = read_trace(raw({"vertexes": [EXPORT, RUN, COPY, BASE, DEFINITION]}))
    assert [step.position for step in trace.steps] == [0, 1, 2, 3, 0]
    assert [step.kind for step in trace.steps] == ["internal", "from", "step", "step", "export"]


def test_a_stage_comes_before_the_stage_that_copies_from_it() -> None:
    tools = vertex("[tools 2/2] RUN make tools", 1, 2, "sha256:base")
    copy = vertex("[stage-1 2/2] COPY --from=tools /t /t", 2, 3, "sha256:base", tools["digest"])
    trace = read_trace(raw({"vertexes": [copy, tools]}))
    assert [step.stage for step in trace.lines] == ["tools", "stage-1"]


def test_a_base_image_that_another_build_holds_open_is_no_step_of_ours() -> None:
    foreign = vertex("[1/9] FROM docker.io/library/neighbour:1", 0.2, 0.3)
    trace = read_trace(raw({"vertexes": [foreign, DEFINITION, BASE, COPY, RUN]}))
    assert all("neighbour" not in step.name for step in trace.steps)
    assert trace.steps[0].start_s == 0


def test_a_failed_step_is_failed_and_one_that_it_took_along_is_cancelled() -> None:
    failed = vertex("[2/3] RUN false", 1, 2, error="process did not complete successfully: exit code: 1")
    beside = vertex("[b 2/3] RUN sleep 9", 1, 2, error="context canceled")
    never = {"digest": "sha256:x", "name": "[3/3] RUN later"}
    states = {step.instruction: step.state for step in read_trace(raw({"vertexes": [failed, beside, never]})).lines}
    assert states == {"RUN false": "failed", "RUN sleep 9": "cancelled", "RUN later": "cancelled"}


def test_the_bytes_of_the_context_are_the_largest_count_told() -> None:
    load = vertex("[internal] load build context", 1, 2)
    status = [
        {"id": "transferring context:", "vertex": load["digest"], "current": current} for current in (0, 900, 1200)
    ]
    assert read_trace(raw({"vertexes": [load], "statuses": status})).context_bytes == 1200


def test_what_a_step_wrote_is_kept() -> None:
    logs = [{"vertex": RUN["digest"], "data": base64.b64encode(part).decode()} for part in (b"one\n", b"two\n")]
    assert read_trace(raw({"vertexes": [RUN], "logs": logs})).line("RUN").log == "one\ntwo\n"


def test_an_empty_trace_is_a_trace_of_nothing() -> None:
    trace = read_trace("ERROR: failed to connect")
    assert (trace.steps, trace.seconds, trace.context_bytes) == ((), 0.0, 0)


def test_a_line_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="ADD"):
        read_trace(raw({"vertexes": [RUN]})).line("ADD")


def test_its_table_has_a_row_for_each_step() -> None:
    frame = read_trace(raw({"vertexes": [DEFINITION, BASE, COPY, RUN]})).to_frame()
    assert list(frame.columns) == ["step", "state", "start_s", "seconds"]
    assert len(frame) == 4
