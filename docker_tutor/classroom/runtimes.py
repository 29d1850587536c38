"""Other runtimes than runc: where `engines` keeps them, and how each is persuaded to run here.

Topics know no engine's insides; this is the classroom's word for what `docker_tutor.engines.runtimes` offers.
"""

from docker_tutor.engines.runtimes import CURES, command_for_youki, ensure, wrap, youki

__all__ = ["CURES", "command_for_youki", "ensure", "wrap", "youki"]
