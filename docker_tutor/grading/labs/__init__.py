"""The tasks of each chapter: `lab1` to `lab7`, each with a `LAB`."""
