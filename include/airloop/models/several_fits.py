"""How many fits of a family answer together, as a version's parameters name it.

The mean of fits whose errors differ errs less than one of them (Breiman 1996, Machine Learning 24). Those of boosting
differ where each split chooses among half of the features, drawn anew by each fit's seed; they all learn from all rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from airloop.config import Pipeline
from airloop.config.ensemble import features_at_a_split
from airloop.models.partners import KEY as PARTNER
from airloop.models.partners import alone, partner_of
from airloop.records import TunedCandidate

KEY = "airloop_fits"
"""Among a version's parameters: `fits`, and `params` that each of them has beside the family's. No parameter of an
estimator."""
_SHARE = 0.5
_SEEDS = 2**32


def with_fits(pipeline: Pipeline, best: TunedCandidate) -> TunedCandidate:
    """What is trained: of each family that answers, how many fits, where training.ensemble.fits asks for several."""
    params = _with_fits(pipeline, best.candidate, alone(best.params))
    partner = partner_of(best.params)
    if partner is not None:
        name, own = partner
        params[PARTNER] = {"candidate": name, "params": _with_fits(pipeline, name, own)}
    return replace(best, params=params)


def _with_fits(pipeline: Pipeline, candidate: str, params: dict[str, Any]) -> dict[str, Any]:
    fits, declared = pipeline.training.ensemble.fits, pipeline.training.candidates[candidate]
    name = features_at_a_split(declared.estimator)
    if fits == 1 or name is None:
        return params
    own = {} if name in {**declared.params, **params} else {name: _SHARE}
    return {**params, KEY: {"fits": fits, "params": own}}


def fits_of(pipeline: Pipeline, params: Mapping[str, Any]) -> Iterator[tuple[Pipeline, dict[str, Any]]]:
    """The declaration with the seed of each fit, and its parameters; once as they are where one fit answers."""
    if KEY not in params:
        yield pipeline, dict(params)
        return
    single = {name: value for name, value in params.items() if name != KEY}
    for number in range(params[KEY]["fits"]):
        seed = (pipeline.training.seed + number) % _SEEDS
        training = pipeline.training.model_copy(update={"seed": seed})
        yield pipeline.model_copy(update={"training": training}), {**single, **params[KEY]["params"]}


def answering(candidate: str, params: Mapping[str, Any]) -> str:
    """Who answers together, for a reader: `4 fits of gradient_boosting and ridge`; empty where one fit answers."""
    families = [(candidate, alone(params)), *filter(None, [partner_of(params)])]
    words = [f"{own[KEY]['fits']} fits of {name}" if KEY in own else name for name, own in families]
    return " and ".join(words) if words != [candidate] else ""
