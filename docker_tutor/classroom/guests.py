"""Virtual machines to be measured, not to be used: where `engines` has them.

Topics know no engine's insides; this is the classroom's word for what `docker_tutor.engines.vm.sample` offers.
"""

from docker_tutor.engines.vm.sample import Sample, take

__all__ = ["Sample", "take"]
