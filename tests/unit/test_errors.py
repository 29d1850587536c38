import inspect

import pytest

from docker_tutor import errors

CLASSES = [found for _name, found in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_error_has_the_one_base_and_a_docstring_and_is_exported(found: type[Exception]) -> None:
    assert issubclass(found, errors.DockerTutorError)
    assert found.__doc__
    assert found.__name__ in errors.__all__


def test_the_tree_in_the_docstring_names_every_class_under_its_own_parent() -> None:
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if not hasattr(errors, name) or not name:
            continue
        depth = len(line) - len(line.lstrip(" │├└─"))
        above = [entry for entry in above if entry[0] < depth]
        if above:
            drawn[name] = above[-1][1]
        above.append((depth, name))
    below = [found for found in CLASSES if found is not errors.DockerTutorError]
    assert drawn == {found.__name__: found.__bases__[0].__name__ for found in below}


def test_a_failed_check_is_an_assertion_error_too_so_that_pytest_and_nbval_show_it_as_one() -> None:
    assert issubclass(errors.CheckFailed, AssertionError)
