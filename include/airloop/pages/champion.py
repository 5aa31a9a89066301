"""The champion in force: what it is, since when, how it did on its holdout, and where MLflow shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airloop.config import Pipeline
from airloop.pages import mlflow_links
from airloop.pages.history import Seen, Version
from airloop.pages.site import Site
from airloop.stores.ledger import Entry, History


@dataclass(frozen=True)
class InForce:
    """What the overview says of the version in force.

    Attributes:
        since: Data time from which it scores.
        age: From then to the newest window's end (data time).
        holdout: Metric -> value on its holdout, before it was promoted.
        decision: The entry that let it pass.
        waiting: Versions that passed their gate and wait for promotion.
        previous: The version it replaced; None for the first.
        refit_of: The version that was judged, when this one is its refit: facts and holdout are of that one.
    """

    version: int
    since: datetime
    promoted_at: datetime
    age: timedelta | None
    facts: dict[str, Any]
    holdout: dict[str, float]
    decision: Entry | None
    links: dict[str, str]
    waiting: tuple[int, ...]
    previous: int | None
    refit_of: int | None = None


def champion_card(
    site: Site,
    pipeline: Pipeline,
    looks: Sequence[Seen],
    decided: History,
    versions: Mapping[int, Version],
) -> InForce | None:
    """The champion by the ledger, not by an alias; None before the first promotion."""
    done = decided.in_force()
    if done is None:
        return None
    number = int(done.payload["version"])
    judged = decided.judged(number)
    version = versions.get(judged)
    ends = [item.window.end for item in looks]
    return InForce(
        version=number,
        since=done.effective_at,
        promoted_at=done.recorded_at,
        age=max(ends) - done.effective_at if ends and max(ends) > done.effective_at else None,
        facts=_facts(version) if version else {},
        holdout=_holdout(pipeline, version) if version else {},
        decision=decided.decision(done.payload.get("decision_sequence", 0)),
        links=mlflow_links.of_version(site.settings, pipeline.name, version) if version else {},
        waiting=decided.challengers(),
        previous=done.payload.get("previous_version"),
        refit_of=judged if judged != number else None,
    )


def _facts(version: Version) -> dict[str, Any]:
    snapshot = version.snapshot
    return {
        "candidate": version.trained["candidate"],
        "train_rows": snapshot.get("train_rows"),
        "features": len(snapshot.get("features", ())),
        "cutoff": snapshot.get("cutoff"),
    }


def _holdout(pipeline: Pipeline, version: Version) -> dict[str, float]:
    metrics = version.evaluated.get("metrics", {})
    return {name: metrics[name] for name in pipeline.metrics if metrics.get(name) is not None}
