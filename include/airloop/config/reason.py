"""Reasons of trainings that the gate may have a rule of its own for."""

from typing import Annotated

from pydantic import AfterValidator

from airloop.config.nearest import nearest
from airloop.config.node import Name
from airloop.records import REASONS


def _no_typo(reason: str) -> str:
    """A reason of one's own is allowed; one that looks like a mistyped one would be a rule that never applies."""
    known = ("default", *REASONS)
    if reason not in known and (near := nearest(reason, known)):
        raise ValueError(f"no training has this reason{near} (reasons: {', '.join(known)}, or another word)")
    return reason


Reason = Annotated[Name, AfterValidator(_no_typo)]
