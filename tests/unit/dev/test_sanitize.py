from pathlib import Path

import pytest
from nbval.plugin import get_sanitize_patterns

from docker_tutor.dev import sanitize

clean = sanitize.from_file(sanitize.config_path())


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("sha256:" + "0a" * 32, "sha256:" + "f1" * 32),
        ("container 4f1c0d9be2a7", "container 0d9be2a74f1c"),
        ("took 0.34 s", "took 12 s"),
        ("real 1.2ms", "real 830µs"),
        ("net -> net:[4026532281]", "net -> net:[4026531840]"),
        ("2026-03-01T09:05:07.123456789Z started", "2027-11-30T10:00:00Z started"),
        ("127.0.0.1:49153->80/tcp", "127.0.0.1:32768->80/tcp"),
        ("eth0 172.17.0.2/16", "eth0 172.18.0.3/16"),
        ("02:42:ac:11:00:02", "02:42:ac:12:00:03"),
        ("Up Less than a second", "Up 3 seconds"),
        ("web-3f9a is up", "web-01bc is up"),
        ("size 7.35MB", "size 131kB"),
        ("/root/.local/share/docker-tutor/t0a1/engine", "/home/ann/.local/share/docker-tutor/b2c3/engine"),
        ("/tmp/docker-tutor-0/t0a1/engine", "/run/user/1000/docker-tutor/b2c3/engine"),
        ("<Widget at 0x7f64d9f0a3d0>", "<Widget at 0x7fa429120cb0>"),
    ],
)
def test_what_differs_from_run_to_run_becomes_equal(written: str, same: str) -> None:
    assert clean(written) == clean(same)
    assert clean(written) != written


@pytest.mark.parametrize(
    "fact",
    [
        "exit 137, OOM-killed: true",
        "the limit in force is 64 MiB",
        "127.0.0.1:8080->80/tcp",
        "cpu.max 50000 100000",
        "weights 100:59",
        "✓ the kernel killed it: exit 137",
        "uid=1000(app) gid=1000(app)",
        "front-end and back-end",
        "python:3.11-slim",
    ],
)
def test_facts_are_compared_as_they_are(fact: str) -> None:
    assert clean(fact) == fact


def test_nbval_reads_the_same_replacements_from_the_file_as_we_do(tmp_path: Path) -> None:
    text = sanitize.config_path().read_text(encoding="utf-8")
    read_by_nbval = get_sanitize_patterns(text)
    assert len(read_by_nbval) == text.count("\n[") == text.count("\nregex: ")


def test_a_stream_that_arrived_in_pieces_equals_one_that_came_at_once() -> None:
    whole = [{"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"}]
    pieces = [
        {"output_type": "stream", "name": "stdout", "text": "one\n"},
        {"output_type": "stream", "name": "stdout", "text": ["two", "\n"]},
    ]
    assert sanitize.comparable(whole, clean) == sanitize.comparable(pieces, clean)
    assert sanitize.kinds(whole) == sanitize.kinds(pieces)


def test_output_on_the_other_stream_is_a_difference() -> None:
    def on(name: str) -> list[dict[str, object]]:
        return [{"output_type": "stream", "name": name, "text": "one\n"}]

    assert sanitize.comparable(on("stdout"), clean) != sanitize.comparable(on("stderr"), clean)


def test_pictures_are_not_compared_and_their_text_is() -> None:
    def shown(picture: str, text: str) -> list[dict[str, object]]:
        return [{"output_type": "display_data", "metadata": {}, "data": {"image/png": picture, "text/plain": text}}]

    assert sanitize.comparable(shown("abc", "a line"), clean) == sanitize.comparable(shown("xyz", "a line"), clean)
    assert sanitize.comparable(shown("abc", "a line"), clean) != sanitize.comparable(shown("abc", "a bar"), clean)
