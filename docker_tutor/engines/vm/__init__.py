"""The sandboxed engine: a whole Linux kernel as an ordinary process of the user, with Docker's packages inside.

It needs no root and no daemon. `image` makes the guest's disk, `uml` says how the machine is started, `keeper` is the
process that holds it, `guest` is the first program inside, `line` is what those two say to each other, and `engine` is
what the rest of the course sees.
"""
