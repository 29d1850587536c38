"""Ranges of ports, one for each engine."""

import os
import subprocess
import sys

from docker_tutor.engines import port_ranges


def test_two_engines_hold_different_ranges() -> None:
    with port_ranges.claim() as (one, _held), port_ranges.claim() as (other, _also):
        assert one
        assert other
        assert not set(one) & set(other)


def test_a_range_is_held_by_whoever_inherits_its_socket() -> None:
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with port_ranges.claim() as (first, held):
        assert first
        assert held
        child = subprocess.Popen(waiting, stdin=subprocess.PIPE, pass_fds=[held.fileno()])
    with child:
        with port_ranges.claim() as (second, _held):
            assert second
            assert not set(first) & set(second)
        child.communicate()
    with port_ranges.claim() as (third, _held):
        assert third
        assert third[0] <= first[0]  # the first that nobody holds


def test_the_setting_is_a_command_of_the_shell() -> None:
    assert port_ranges.setting(range(20001, 21000)).startswith("echo 20001 20999 >")
    assert os.system(port_ranges.setting(None)) == 0  # noqa: S605 - our own words
