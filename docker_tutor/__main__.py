"""`python -m docker_tutor` is `docker-tutor`."""

import sys

from docker_tutor.cli import main

if __name__ == "__main__":
    sys.exit(main())
