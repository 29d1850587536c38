import json
from typing import Any

import pytest

from docker_tutor.errors import SubmissionInvalid
from docker_tutor.grading.findings import Found, Outcome
from docker_tutor.grading.results import Result
from docker_tutor.grading.tasks import lab


def made(**changes: Any) -> Result:
    outcomes = []
    for task in lab(1).tasks:
        seen = {
            claim.key: Found(claim.key, held=claim.key != "killed", found="f", expected="e") for claim in task.claims
        }
        outcomes.append(Outcome.of(task.name, task.claims, seen, hidden=True))
    values: dict[str, Any] = {"status": "graded", "note": "", "seconds": 1.5, "digest": "d" * 32} | changes
    return Result("ada", "lab1", outcomes=tuple(outcomes), **values)


def read(data: dict[str, Any]) -> Result:
    return Result.from_json(json.dumps(data), student="ada", number=1, digest="d" * 32)


def test_a_result_is_read_as_it_was_written() -> None:
    assert Result.from_json(made().to_json(), student="ada", number=1, digest="d" * 32) == made()
    assert made().points == made().max_points - 1


def test_points_are_the_labs_own_whatever_the_data_say() -> None:
    data = json.loads(made().to_json())
    data["outcomes"][0]["findings"][0]["points"] = 1000
    data["outcomes"].append({"task": "bonus", "findings": [{"key": "x", "points": 50, "held": True}]})
    assert read(data).points == made().points


def test_a_claim_that_is_not_told_of_does_not_hold() -> None:
    data = json.loads(made().to_json())
    data["outcomes"] = []
    assert read(data).points == 0
    assert read(data).max_points == made().max_points


@pytest.mark.parametrize(
    "change",
    [
        {"student": "eve"},
        {"lab": "lab2"},
        {"status": "perfect"},
        {"digest": "e" * 32},
        {"outcomes": 7},
        {"outcomes": [{"task": "limits"}]},
        {"seconds": "soon"},
        {"troubles": None},
    ],
    ids=str,
)
def test_data_of_another_form_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SubmissionInvalid):
        read(json.loads(made().to_json()) | change)


def test_only_true_counts_as_held() -> None:
    data = json.loads(made().to_json())
    for finding in data["outcomes"][0]["findings"]:
        finding["held"] = "yes"
    assert read(data).outcomes[0].points == 0


def test_a_claim_told_twice_is_refused() -> None:
    data = json.loads(made().to_json())
    data["outcomes"][0]["findings"] *= 2
    with pytest.raises(SubmissionInvalid):
        read(data)


def test_long_texts_are_cut_and_hidden_expectations_dropped() -> None:
    data = json.loads(made().to_json())
    for finding in data["outcomes"][0]["findings"]:
        finding["found"] = finding["expected"] = "x" * 10_000
    findings = read(data).outcomes[0].findings
    assert max(len(finding.found) for finding in findings) <= 400
    assert [finding.expected for finding in findings if finding.hidden] == [""]


def test_what_could_not_be_run_has_no_points_and_says_why() -> None:
    nothing = Result.nothing("ada", 1, "no notebook", mode="trusted", digest="")
    assert (nothing.points, nothing.max_points, nothing.status) == (0, made().max_points, "broken")
