"""Every error that docker_tutor raises on purpose.

::

    DockerTutorError
    ├── EngineError             something about where the daemon comes from
    │   ├── UnknownEngine       no engine kind has that name
    │   ├── EngineNotFound      no engine of the wanted kind can be had on this machine
    │   ├── EngineStartFailed   it was started and did not come up, or went away
    │   ├── EngineNotPermitted  it is there and this user may not use it
    │   └── CapabilityMissing   it works, and lacks what this demonstration needs
    ├── PackageError            the engine's packages could not be brought here
    │   ├── DownloadFailed      the mirror did not deliver, or delivered too little
    │   ├── SignatureInvalid    what it delivered is not signed by the distribution
    │   └── DiskFull            there is no room for it
    ├── GatewayError            the door to the daemon
    │   └── GatewayRefused      the request would have touched what is not the course's
    ├── ImageError              where an image comes from
    │   ├── ImageNotFound       not here, not in a registry, and no recipe for it
    │   └── RecipeFailed        the stand-in's recipe did not build
    ├── ClassroomError          a notebook's scope
    │   ├── RoomClosed          it has been left, or none is open
    │   ├── PortTaken           something else listens on that port
    │   ├── CommandFailed       a docker command of a demonstration ended with an error
    │   └── WaitTimedOut        what was awaited did not happen in time
    ├── GradingError            labs: what is handed in, and who handed it in
    │   ├── TicketInvalid       no ticket, one that is not of this course, or no secret to check it with
    │   ├── SubmissionInvalid   what was handed in cannot be read as a lab
    │   └── SeatFailed          the place where a submission is run could not be had, or went away
    ├── CheckFailed             a claim of the course does not hold (also an AssertionError)
    └── CourseError             the command line: set-up, the learner's copy, disk and memory

Messages say what happened and then what to do. The cause is chained wherever there is one.
A notebook shows the message alone; with `DOCKER_TUTOR_TRACEBACK=1` the whole way to it.
"""

import os
import traceback

__all__ = [
    "CapabilityMissing",
    "CheckFailed",
    "ClassroomError",
    "CommandFailed",
    "CourseError",
    "DiskFull",
    "DockerTutorError",
    "DownloadFailed",
    "EngineError",
    "EngineNotFound",
    "EngineNotPermitted",
    "EngineStartFailed",
    "GatewayError",
    "GatewayRefused",
    "GradingError",
    "ImageError",
    "ImageNotFound",
    "PackageError",
    "PortTaken",
    "RecipeFailed",
    "RoomClosed",
    "SeatFailed",
    "SignatureInvalid",
    "SubmissionInvalid",
    "TicketInvalid",
    "UnknownEngine",
    "WaitTimedOut",
]


class DockerTutorError(Exception):
    """The base of all errors that docker_tutor raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows (and Jupyter below the cell): the message, not the way through our internals."""
        if os.environ.get("DOCKER_TUTOR_TRACEBACK"):
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]


class EngineError(DockerTutorError):
    """Something about where the daemon comes from."""


class UnknownEngine(EngineError):
    """No engine kind has that name."""


class EngineNotFound(EngineError):
    """No engine of the wanted kind can be had on this machine."""


class EngineStartFailed(EngineError):
    """The engine was started and did not come up, or went away."""


class EngineNotPermitted(EngineError):
    """The engine is there and this user may not use it."""


class CapabilityMissing(EngineError):
    """The engine works, and lacks what this demonstration needs."""


class PackageError(DockerTutorError):
    """The engine's packages could not be brought here."""


class DownloadFailed(PackageError):
    """The mirror did not deliver, or delivered too little."""


class SignatureInvalid(PackageError):
    """What the mirror delivered is not signed by the distribution."""


class DiskFull(PackageError):
    """There is no room for it."""


class GatewayError(DockerTutorError):
    """The door to the daemon."""


class GatewayRefused(GatewayError):
    """The request would have touched what is not the course's."""


class ImageError(DockerTutorError):
    """Where an image comes from."""


class ImageNotFound(ImageError):
    """The image is not here, not in a registry, and there is no recipe for it."""


class RecipeFailed(ImageError):
    """The recipe of a stand-in did not build."""


class ClassroomError(DockerTutorError):
    """A notebook's scope."""


class RoomClosed(ClassroomError):
    """The room has been left, or none is open."""


class PortTaken(ClassroomError):
    """Something else listens on that port."""


class CommandFailed(ClassroomError):
    """A docker command of a demonstration ended with an error."""


class WaitTimedOut(ClassroomError):
    """What was awaited did not happen in time."""


class GradingError(DockerTutorError):
    """Labs: what is handed in, and who handed it in."""


class TicketInvalid(GradingError):
    """There is no ticket, it is not one of this course, or there is no secret to check it with."""


class SubmissionInvalid(GradingError):
    """What was handed in cannot be read as a lab."""


class SeatFailed(GradingError):
    """The place where a submission is run could not be had, or went away."""


class CheckFailed(DockerTutorError, AssertionError):
    """A claim of the course does not hold on this engine."""


class CourseError(DockerTutorError):
    """The command line: set-up, the learner's copy, disk and memory."""
