import os
from pathlib import Path

from docker_tutor import paths
from docker_tutor.classroom.belongings import belongings


def test_every_folder_of_the_course_is_named_with_its_size_and_how_it_goes(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "one").write_bytes(b"x" * 100_000)
    os.link(room / "one", room / "the-same")
    (room / "away").symlink_to("/usr")
    found = belongings(room)
    assert found.folders() == (room, paths.runtime_folder(), paths.data_folder(), paths.cache_folder())
    assert 100_000 <= found.rows[0].size_bytes < 110_000
    rows = {row["what"]: row for _place, row in found.to_frame().iterrows()}
    assert rows["this room's files"]["size"] == "100 KiB"
    assert rows["the engine's data, your progress"]["goes"] == "with `docker-tutor engine down --purge`"
    assert str(room) in found._repr_mimebundle_()["text/plain"]
    assert "<code>docker-tutor engine down</code>" in found._repr_mimebundle_()["text/html"]
