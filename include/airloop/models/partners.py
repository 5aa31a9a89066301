"""The family that answers together with a version's own one, as the version's parameters name it."""

from collections.abc import Mapping
from typing import Any

KEY = "airloop_vote"
"""Among a version's parameters: `candidate` and `params` of the family that answers with it. No parameter of an
estimator."""


def partner_of(params: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Candidate and parameters of the partner; None of a family that answers alone."""
    named = params.get(KEY)
    return None if named is None else (named["candidate"], dict(named["params"]))


def alone(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without the partner."""
    return {name: value for name, value in params.items() if name != KEY}


def params_of(candidate: str, family: str, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a candidate was fitted with in a version of a family, alone or as its partner; None of another one."""
    if candidate == family:
        return alone(params)
    partner = partner_of(params)
    return partner[1] if partner is not None and partner[0] == candidate else None
