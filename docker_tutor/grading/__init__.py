"""Labs: individual tasks, checks that look at the daemon, and the grading of what was handed in.

::

    from docker_tutor.grading import open_lab       # a lab notebook's first cell

    lab = open_lab(1)
    lab.task("limits")                              # what to do, with this student's own values
    lab.check("limits")                             # what can be looked at before handing in
    lab.hint("limits")                              # one step of help for each call

``tickets``     who a student is to the course: an id, signed with the course's secret
``draws``       values derived from a ticket, the same every time
``tasks``       a task: its values, its claims, how it is looked at (``labs``: those of each chapter)
``findings``    what was found of each claim, and the points that it is worth
``site``        where a check looks: the daemon, the command line, a folder
``notebook``    the lab as its notebook sees it
``cells``       what was handed in: the code cells of a notebook, and where each task is to be looked at
``seats``       where a submission is run: an exchangeable part (``trusted``: an engine of its own, no isolation)
``grader``      one submission: its cells run, each task looked at from outside
``worker``      the same in a process of its own, which can be ended; its answer is data
``classes``     all submissions: several at once, resumed, here or on other machines
``feedback``    what a student gets back; ``report`` what a teacher looks at
"""

from docker_tutor.grading.notebook import Lab, open_lab

__all__ = ["Lab", "open_lab"]
