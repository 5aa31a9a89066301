"""The limits of a version, out of what was measured and of what was not."""

from collections.abc import Iterator, Mapping
from typing import Any

from airloop.config import Pipeline
from airloop.stores.ledger import Entry, promises

RULES = {
    "slices": "whether a group of rows is worse off than under the champion",
    "fairness": "whether groups are treated alike",
    "calibration": "whether predictions can be read as probabilities",
    "cost": "what its mistakes cost",
    "behaviour": "how it answers to changed inputs",
    "latency": "how fast it answers",
    "forgetting": "whether it still knows what the champion knows of the whole past",
    "sanity": "whether it predicts what can be, and not the same of everything",
    "shadowed": "how it does beside the champion on live traffic",
}
"""Kind of a gate's rule -> what a card says where the declaration lacks it."""
_BINARY_ONLY = ("fairness", "calibration", "cost")


def of(pipeline: Pipeline, card: Mapping[str, Any], decision: Entry | None) -> Iterator[str]:
    """One sentence each."""
    data, version = card["data"], card["version"]
    if data.get("train") and data.get("holdout"):
        train, holdout = (f"{data[part]['start'][:10]} to {data[part]['end'][:10]}" for part in ("train", "holdout"))
        yield f"It learned from {train} and was judged on {holdout}: what came later it has not seen."
    if data.get("unlabelled_rows"):
        yield f"{data['unlabelled_rows']:,} mature rows had no outcome and were left out: it says nothing about them."
    if version["number"] != version["judged"]:
        yield (
            f"Version {version['number']} is the refit of version {version['judged']} on all mature rows: every figure "
            f"here is of version {version['judged']}, and nothing judged the refit itself."
        )
    yield from _of_decision(decision)
    yield from _not_asked(pipeline)
    small = [item["slice"] for item in card["slices"] if item.get("value") is None]
    if small:
        yield f"Too few rows to say anything: {', '.join(small)}."
    if (after := card["after_promotion"]) and after["verdict"] not in (promises.KEPT, promises.UNSURE):
        yield f"After its promotion: {after['why']}."
    if card["taken_back"]:
        yield "It was taken back after its first rows, and is not promoted again."


def _of_decision(decision: Entry | None) -> Iterator[str]:
    if decision is None:
        yield "No gate has judged it."
        return
    payload = decision.payload
    if payload.get("champion_version") is None:
        yield "It was judged by floors only: there was no champion to compare it with."
    if payload.get("not_comparable"):
        yield f"It was judged by floors only: {payload['not_comparable']}."
    if payload.get("looks"):
        yield f"{payload['looks']} versions were judged on rows of its holdout before; the interval pays for that."
    if payload.get("trigger_overlaps"):
        yield "Rows of the window that asked for the training are in its holdout: part of the gain was known before."


def _not_asked(pipeline: Pipeline) -> Iterator[str]:
    kinds = {rule.kind for rule in pipeline.gate.rules}
    binary = pipeline.prediction.task == "binary"
    missing = [says for kind, says in RULES.items() if kind not in kinds and (binary or kind not in _BINARY_ONLY)]
    if missing:
        yield f"The gate did not ask: {'; '.join(missing)}."
