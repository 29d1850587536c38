"""Only a resolver on loopback has to be reached in another way."""

from docker_tutor.engines.private.nameservers import on_loopback


def test_nameservers_on_loopback_are_found() -> None:
    text = "# nameserver 127.0.0.9\nsearch example\nnameserver 127.0.0.53\nnameserver 192.0.2.1\noptions edns0\n"
    assert on_loopback(text) == ["127.0.0.53"]


def test_an_empty_file_names_none() -> None:
    assert on_loopback("") == []
