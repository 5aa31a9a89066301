"""A check of the gate that refuses, and what counts as a number there."""

import math
from typing import Any

from airloop.records import Check


def refuse(rule: str, says: str, observed: Any = None) -> Check:
    """A check that does not pass, and why."""
    return Check(rule, passed=False, observed=observed if is_number(observed) else None, says=says)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number; a bool is not one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
