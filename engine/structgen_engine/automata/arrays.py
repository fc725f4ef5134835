"""The reserved numbers of automata as arrays, for code that builds them without torch."""

from __future__ import annotations

import numpy as np

DEAD = 0
REFUSED = 0
NEVER = int(np.iinfo(np.int32).max)  # distance of a state that cannot reach acceptance
IMPOSSIBLE = float("-inf")
