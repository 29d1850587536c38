"""QEMU: how a guest is started on it, with a hypervisor's help or by emulation."""
