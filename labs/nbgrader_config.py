"""nbgrader's settings for the labs: this folder is a course, `source/` is written by hand, the rest is generated."""

c = get_config()  # noqa: F821 - traitlets puts it there

c.CourseDirectory.course_id = "docker"
c.CourseDirectory.root = str(__import__("pathlib").Path(__file__).resolve().parent)

# Where `nbgrader release_assignment` and `collect` hand over, on one machine. On a hub: a folder that all mount.
c.Exchange.root = c.CourseDirectory.root + "/exchange"

# What a student finds where the solution was. Nothing that raises: an empty answer is looked at like any other.
c.ClearSolutions.code_stub = {"python": "# Your answer. With %%bash as its first line, the cell is a terminal.\n"}

# A cell may build an image; the whole notebook may take longer than one cell.
c.Execute.timeout = 180
c.ExecutePreprocessor.timeout = 180
