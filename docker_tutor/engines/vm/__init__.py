"""The sandboxed engine: a whole Linux kernel as an ordinary process of the user, with Docker's packages inside.

It needs no root and no daemon. `image` makes the guest's disk, `uml` and `qemu` say how a machine is started on it
(`hypervisors` knows both by name, `qemu_parts` is what the second needs besides), `keeper` is what holds it,
`guest` is the first program inside, `line` is what those two say to each other, `engine` is what the rest of the course
sees, and `sample` measures a guest without Docker. A guest on QEMU rests instead of being switched off: `saving` writes
its state and reads it, over `qmp`; `saved` says what that belongs to; `qcow2` keeps what it has changed of the disk.
"""
