"""All planted faults by name, and whether the platform's reaction to one is the right one."""

import re

from . import clocks, files, harmless, outcomes, same_levels, values
from .fault import PLANTED, Fault
from .reaction import Reaction

_ORDER = (harmless, values, same_levels, clocks, outcomes, files)
FAULTS = {fault.name: fault for module in _ORDER for fault in PLANTED if fault.plant.__module__ == module.__name__}


def wrong(fault: Fault, reaction: Reaction) -> str:
    """Why a reaction is not the right one; empty when it is."""
    if reaction.triage == "retrain":
        return "broken input asks for a training"
    if reaction.crashed:
        return f"ends in a library's own error: {reaction.refused}"
    loud = "\n".join(filter(None, [reaction.refused, *map(" ".join, reaction.alarms)]))
    if fault.harmless:
        changed = "the clean tables are not those of the files as they are" if reaction.same is False else ""
        return f"says of what is right: {loud}" if loud else changed
    if not loud:
        return "silent"
    return "" if re.search(str(fault.says), loud) else f"does not say {fault.says!r}"
