"""What monitoring measured in a window, as the pages show it."""

from collections.abc import Mapping
from typing import Any

from airloop.reports.charts import interval
from airloop.reports.rendering import metric_title


def live(monitored: Mapping[str, Any], metric: str) -> tuple[float | None, float | None, float | None]:
    """A live metric with the bounds of its interval; None where it was not measured."""
    live = monitored.get("live", {})
    value, lower, upper = (live.get(f"{metric}{end}") for end in ("", "_lower", "_upper"))
    return value, lower, upper


def probe(monitored: Mapping[str, Any], metric: str) -> dict[str, Any] | None:
    """The probe's evidence in a metric; None when there was none, or a number of it is missing."""
    of_metric = (proof for proof in monitored.get("probe", ()) if proof["metric"] == metric)
    proof = next(of_metric, None)
    return proof if proof and None not in (proof["gain"], proof["lower"], proof["upper"]) else None


def reach(*proofs: Mapping[str, Any]) -> float:
    """The largest bound among evidence that shares an axis."""
    bounds = [proof[bound] for proof in proofs for bound in ("lower", "upper")]
    return max((abs(bound) for bound in bounds if bound is not None), default=0.0)


def drawn(proof: Mapping[str, Any], axis: float) -> dict[str, Any]:
    """Evidence with the name of its metric and its `picture` on an axis of that reach."""
    picture = interval(proof["gain"], proof["lower"], proof["upper"], reach=axis)
    return {**proof, "title": metric_title(proof["metric"]), "picture": picture}
