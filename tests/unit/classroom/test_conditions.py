import pytest

from docker_tutor.classroom.conditions import Condition, ContainerState, Exit, Healthy, Running


def state(status: str, health: str | None = None, **rest: object) -> ContainerState:
    return ContainerState("c0ffee", "web", status, health=health, **rest)


@pytest.mark.parametrize(
    ("condition", "met", "hopeless", "open_still"),
    [
        (Exit(), [state("exited"), state("removed")], [], [state("created"), state("running"), state("restarting")]),
        (Running(), [state("running")], [state("removed")], [state("created"), state("exited"), state("restarting")]),
        (
            Healthy(),
            [state("running", "healthy")],
            [state("exited", "starting"), state("running"), state("removed")],
            [state("running", "starting"), state("running", "unhealthy"), state("created")],
        ),
    ],
)
def test_a_state_meets_a_condition_or_may_still_or_never_will(
    condition: Condition, met: list[ContainerState], hopeless: list[ContainerState], open_still: list[ContainerState]
) -> None:
    assert all(condition.met(one) for one in met)
    assert all(condition.hopeless(one) and not condition.met(one) for one in hopeless)
    assert not any(condition.met(one) or condition.hopeless(one) for one in open_still)


def test_a_state_is_read_from_what_inspect_gives() -> None:
    attrs = {
        "Id": "c0ffee",
        "Name": "/web",
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "Health": {"Status": "unhealthy", "Log": [{"Output": "first"}, {"Output": "refused\n"}]},
        },
    }
    found = ContainerState.of(attrs)
    assert (found.name, found.exit_code, found.health) == ("web", None, "unhealthy")
    assert found.words() == "running, health: unhealthy (refused)"


def test_a_killed_container_says_so_in_words() -> None:
    attrs = {"Id": "c", "Name": "/greedy", "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True}}
    assert ContainerState.of(attrs).words() == "exited with 137 (OOM-killed)"
