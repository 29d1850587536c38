"""The private engine: a dockerd of the course's own in namespaces of its own (Linux and root)."""
