"""A daemon that exists already: `DOCKER_HOST`, the current `docker context`, or the default socket."""
from docker_tutor.errors import EngineNotFound
class ExistingEngine:
    kind="existing"; disposable=False
    def __init__(self)->None: raise EngineNotFound("none")
