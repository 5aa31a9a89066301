"""The libraries that a process had imported when it imported this module."""

import sys

LIBRARIES = frozenset(name.partition(".")[0] for name in sys.modules)
