"""What the Binder build reads: BuildKit's progress, conda's lists, and our own `binder/environment.yml`."""

import pytest
import yaml

from docker_tutor.dev.binder import Timed, timed
from docker_tutor.dev.conda_place import SPECIFIED, locked, requirements
from docker_tutor.paths import checkout

PROGRESS = """\
Building conda environment for python=3.12
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#6 [ 2/22] RUN apt-get -qq update
#14 [10/22] RUN bash -c 'time /tmp/script'
#14 3.2 some output DONE 5s
#6 DONE 11.2s
#14 DONE 79.8s
#27 exporting layers 17.0s done
#27 DONE 17.0s
"""


def test_each_step_of_the_dockerfile_has_its_seconds() -> None:
    assert timed(PROGRESS.splitlines()) == [
        Timed("2/22", "RUN apt-get -qq update", 11.2),
        Timed("10/22", "RUN bash -c 'time /tmp/script'", 79.8),
    ]


def test_a_lock_file_gives_names_and_versions() -> None:
    lines = [
        "# platform: linux-64",
        "@EXPLICIT",
        "https://channel.example/noarch/jupyterhub-singleuser-5.4.0-hb2ed76f_1.conda#abc",
        "https://channel.example/linux-64/python-3.12.12-hd63d673_0_cpython.tar.bz2#def",
    ]
    assert locked(lines) == {"jupyterhub-singleuser": "5.4.0", "python": "3.12.12"}


def test_condas_dependencies_are_told_from_pips() -> None:
    asked = ["python=3.12", "pip", "notebook >=7.6", "git=2", {"pip": ["--requirement list.txt"]}]
    assert requirements(asked, "3.12") == (["notebook>=7.6", "git==2"], ["--requirement list.txt"])


@pytest.mark.parametrize("asked", ["python", "python >=3.11", "python=3.11"])
def test_another_python_than_that_of_the_base_environment_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match=r"python=3\.12"):
        requirements([asked], "3.12")


def test_our_own_environment_names_its_python_as_repo2docker_reads_it() -> None:
    dependencies = yaml.safe_load((checkout() / "binder/environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (python,) = [each for each in dependencies if str(each).startswith("python")]
    ours, theirs = requirements(dependencies, python.removeprefix("python="))
    assert {name.split(">")[0] for name in ours} <= SPECIFIED.keys()
    assert [(checkout() / "binder" / line.split()[1]).resolve() for line in theirs] == [checkout() / "requirements.txt"]
