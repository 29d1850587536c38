"""Where checks look: what is there only for a moment is not taken for what stays."""

from docker_tutor.grading.seats import Place
from docker_tutor.grading.site import PROBE
from docker_tutor.grading.tickets import Ticket


def test_a_program_that_ends_at_once_does_not_count_as_one_that_runs(trusted: Place, ticket: Ticket) -> None:
    with trusted.seat(ticket, []) as seat:
        site = seat.site()
        for name, seconds in (("brief", "0.5"), ("stays", "600")):
            assert site.docker("run", "--detach", "--name", name, PROBE, "sleep", seconds).ok
            assert site.lasting(name).running == (name == "stays")
        assert site.lasting("nobody").state == "no container nobody"
