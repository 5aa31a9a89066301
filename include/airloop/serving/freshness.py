"""How old the values of a row are, and what the declaration says about those that are too old or not there.

Feast hands out expired values as present; here a value counts only as long as in training: `as_of - known_at` must not
exceed the view's ttl (the edge included, as in retrieval), nor the declared maximum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.config.serving import ViewFreshness
from airloop.errors import ConfigError
from airloop.serving.inputs import Inputs
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.online_features import KnownValues, OnlineFeatures, View

STALE, ABSENT = "stale", "absent"


@dataclass(frozen=True)
class Rule:
    """What holds for one view.

    Attributes:
        max_age_seconds: The declared maximum or the ttl, whichever is shorter.
        defaults: Feature -> value in place of one that is stale or absent; None where it is then missing.
    """

    view: str
    max_age_seconds: float
    when_stale: str
    when_absent: str
    defaults: Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """A view's values after its rule.

    Attributes:
        age_seconds: None where nothing was known.
        flag: `stale`, `absent` or empty.
    """

    values: Mapping[str, Any]
    age_seconds: float | None
    flag: str


def rules(pipeline: Pipeline, online: "OnlineFeatures", inputs: Inputs) -> dict[str, Rule]:
    """The rule of every view.

    Raises:
        ConfigError: `serving.freshness` names a view or a feature there is not, or a default of another kind.
    """
    refuse_unknown(pipeline, {view.name: view.features for view in online.views}, inputs)
    declared = pipeline.serving.freshness
    return {view.name: _rule(view, declared.get(view.name, ViewFreshness())) for view in online.views}


def refuse_unknown(pipeline: Pipeline, views: Mapping[str, Sequence[str]], inputs: Inputs) -> None:
    """Refuse a declaration that does not fit the views (name -> features).

    Raises:
        ConfigError: See rules.
    """
    where = f"{pipeline.name}/pipeline.yaml: serving.freshness"
    for name, declared in pipeline.serving.freshness.items():
        if name not in views:
            raise ConfigError(f"{where}: no view {name!r}{nearest(name, views)} (views: {', '.join(views)})")
        for feature, value in declared.defaults.items():
            place, known = f"{where}.{name}.defaults", views[name]
            if feature not in known:
                raise ConfigError(f"{place}: no feature {feature!r}{nearest(feature, known)} (has: {', '.join(known)})")
            try:
                inputs.checked({feature: value} if feature in inputs.by_name else {})
            except Refused as error:
                raise ConfigError(f"{place}: {error.message}") from error


def judge(rule: Rule, known: "KnownValues", as_of: datetime) -> Judged:
    """The values that count, their age, and whether they are stale or absent.

    Raises:
        Refused: The declaration refuses them, or they became known after `as_of`: the online store only holds the
            newest value, so the one of then is not there.
    """
    if known.known_at is None:
        if rule.when_absent == "refuse":
            says = (
                f"the online store holds nothing of view {rule.view!r} for this key, and serving.freshness refuses that"
            )
            raise Refused(409, "absent_features", says, field=rule.view)
        return Judged(rule.defaults, None, ABSENT)
    age = (as_of - known.known_at).total_seconds()
    if age < 0:
        says = (
            f"view {rule.view!r} holds a value known at {known.known_at:%Y-%m-%dT%H:%M:%SZ}, after as_of "
            f"{as_of:%Y-%m-%dT%H:%M:%SZ}; ask with a later as_of, or score the past by the scoring DAG"
        )
        raise Refused(409, "known_later", says, field=rule.view, value=age)
    if age <= rule.max_age_seconds:
        return Judged(known.values, age, "")
    if rule.when_stale == "refuse":
        says = (
            f"view {rule.view!r} was last known at {known.known_at:%Y-%m-%dT%H:%M:%SZ}, {age:.0f} s before as_of; "
            f"older than {rule.max_age_seconds:.0f} s is refused by serving.freshness: is its feed still arriving?"
        )
        raise Refused(409, "stale_features", says, field=rule.view, value=age)
    return Judged(known.values if rule.when_stale == "flag" else rule.defaults, age, STALE)


def _rule(view: "View", declared: ViewFreshness) -> Rule:
    longest = view.ttl_seconds
    if declared.max_age_minutes is not None:
        longest = min(longest, declared.max_age_minutes * 60)
    return Rule(view.name, longest, declared.when_stale, declared.when_absent, dict(declared.defaults))
