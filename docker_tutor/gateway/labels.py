"""The labels by which the course knows its own things."""

__all__ = ["OWNER", "SCOPE", "STAND_IN"]

SCOPE = "docker-tutor.scope"
"""On every container, network, volume and built image: the id of the scope that made it."""

OWNER = "docker-tutor.owner"
"""Beside SCOPE: which user and checkout the scope belongs to, so that nobody tidies up after a neighbour."""

STAND_IN = "docker-tutor.stand-in"
"""On an image built by the course's own recipe: the name it stands in for."""
