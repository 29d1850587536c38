from docker_tutor.topics.overlay import _overlay_options

TABLE = """1193 1094 0:58 / / rw,relatime - overlay overlay rw,lowerdir=/l/B:/l/A,upperdir=/u,workdir=/w
1194 1193 0:61 / /proc rw,nosuid shared:3 - proc proc rw
"""


def test_the_mount_on_the_root_names_its_directories() -> None:
    assert _overlay_options(TABLE) == {"lowerdir": "/l/B:/l/A", "upperdir": "/u", "workdir": "/w"}


def test_a_root_that_is_no_overlay_has_none() -> None:
    assert _overlay_options("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n") == {}
