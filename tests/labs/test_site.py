"""Where checks look, and what is there only for a moment or only for one student."""

from pathlib import Path

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


def test_what_a_student_leaves_in_the_temporary_folder_goes_with_the_seat(trusted: Place, ticket: Ticket) -> None:
    with trusted.seat(ticket, []) as seat:
        left = Path(seat.run("import tempfile; print(tempfile.mkdtemp())", within_s=60).text.strip())
        assert left.is_dir()
    assert not left.exists()
