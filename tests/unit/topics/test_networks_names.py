"""What is read out of a name server's replies."""

import pytest

from docker_tutor.classroom.lacking import Lacking
from docker_tutor.topics.networks_names import SILENCE, Answer, Names


def names(code: str) -> Names:
    known = Answer("127.0.0.11", "web", "NOERROR", ("172.20.0.2",), 600, 1e-4)
    nobody = Answer("127.0.0.11", "nobody", code, (), None, 1e-3)
    return Names("172.20.0.0/16", "172.20.0.0/16", "172.20.0.2", (), "127.0.0.11", "10.0.2.3", (known, nobody))


def test_a_name_that_nobody_has_is_refused_by_a_server_that_could_ask() -> None:
    assert names("NXDOMAIN").nobody == "NXDOMAIN"
    assert names("NOERROR").nobody == "NOERROR"


@pytest.mark.parametrize("code", ["SERVFAIL", SILENCE])
def test_where_no_server_could_be_asked_the_code_is_lacking_and_says_why(code: str) -> None:
    found = names(code).nobody
    assert isinstance(found, Lacking)
    assert "nobody exists" in repr(found)
