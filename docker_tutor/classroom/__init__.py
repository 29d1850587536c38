"""The classroom: what a notebook works in, from its first cell to its last.

``room``           one notebook's scope on an engine, opened in its first cell
``environment``    what typed commands need to reach the same engine, set and given back
``waits``          waiting for something to happen, with a time limit and no sleeping
``check``          a claim of the course, stated so that it can fail (``expectations``: between, at least …)
``lacking``        the sentence that stands where an engine lacks what a demonstration needs
``predict``        a question to answer before a cell is run
``records``        what was checked and predicted, kept for the learner
``cleaning``       what is left of rooms whose kernel has gone, and its removal
``shell``          the same for a terminal
``bars``           progress, drawn in a notebook or a terminal
"""
