"""The rule `shadowed`: what a version that passed is worth on live traffic, beside the champion, before it is promoted.

A version that passed its gate waits as challenger; the service asks it beside the champion and logs both. Whoever asks
for its promotion (the promotion DAG, each look of monitoring, a person by `airloop run promote`) has the rule judged
again: it waits, which nothing records, or it passes or is refused for good, which the ledger does (`shadowed`).
Refused, the version is challenger no longer. Where no champion could be compared with, there is nothing to stand
beside, and the rule asks for nothing.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from airloop.config import Pipeline, calendar_windows
from airloop.config.gate_rules import SHADOWED
from airloop.errors import GuardRefused
from airloop.features import examples
from airloop.gate import approval
from airloop.gate.rules.shadowed import Shadowed
from airloop.models import gate_evidence, prediction_tables, shadowed_rows
from airloop.problems import task_of
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import lake, ledger
from airloop.stores.ledger import HISTORY_KINDS, Draft, Entry, History

logger = logging.getLogger(__name__)

PASSED, REFUSED, WAITS = "passed", "refused", "waits"


@dataclass(frozen=True)
class ShadowOutcome:
    """How a decision stands with the rule: PASSED, REFUSED (for good) or WAITS, and why in a sentence."""

    outcome: str
    says: str


def ask(pipeline: Pipeline, settings: Settings, sequence: int) -> ShadowOutcome:
    """Judge the rule for a decision; PASSED and REFUSED are put on record once, and stand from then on.

    Raises:
        GuardRefused: No such decision, or it did not pass; the ledger does not verify.
        UpstreamUnavailable: The lake does not answer.
    """
    history = ledger.intact_history(settings, pipeline.name)
    decision = history.decision(sequence)
    if decision is None or not ledger.passes(decision):
        raise GuardRefused(f"{sequence} is not a decision of {pipeline.name} that passed: see `airloop ledger show`")
    declared = pipeline.gate.shadowed
    if declared is None or decision.payload["champion_version"] is None or decision.payload.get("not_comparable"):
        return ShadowOutcome(PASSED, "no champion to stand beside, or no rule that asks for it")
    standing = history.shadow_of(sequence)
    if standing is None:
        rule, measured = declared.build(), _measured(pipeline, decision, history, settings)
        if lacking := rule.lacking(measured):
            return ShadowOutcome(WAITS, lacking)
        standing = _record(pipeline, settings, decision, rule, measured)
    return ShadowOutcome(standing.payload["outcome"], standing.payload["why"])


def require(pipeline: Pipeline, settings: Settings, decision: Entry) -> None:
    """Refuse to promote what the rule asks more of, or refused.

    Raises:
        GuardRefused: See above; says what is lacking and who asks again.
        UpstreamUnavailable: See ask.
    """
    if pipeline.gate.shadowed is None:
        return
    standing, version = ask(pipeline, settings, decision.sequence), decision.payload["version"]
    if standing.outcome == REFUSED:
        raise GuardRefused(f"version {version} was refused on live traffic ({standing.says}): train again")
    if standing.outcome == WAITS:
        raise GuardRefused(
            f"version {version} waits as challenger (gate.rules: shadowed): {standing.says}. Each look of monitoring "
            f"asks again and starts the promotion; does the service run (`airloop status`), and is it asked?"
        )


def due(pipeline: Pipeline, settings: Settings) -> int | None:
    """The decision whose version waited for live traffic and waits no longer; None where none does.

    Raises:
        GuardRefused: The ledger does not verify.
        UpstreamUnavailable: See ask.
    """
    decision = ledger.intact_history(settings, pipeline.name).waiting()
    if pipeline.gate.shadowed is None or decision is None:
        return None
    standing = ask(pipeline, settings, decision.sequence)
    logger.info("%s: decision %d %s: %s", pipeline.name, decision.sequence, standing.outcome, standing.says)
    return decision.sequence if standing.outcome == PASSED else None


def _record(pipeline: Pipeline, settings: Settings, decision: Entry, rule: Shadowed, measured: dict[str, Any]) -> Entry:
    check = rule.check(measured)
    payload = {
        "decision_sequence": decision.sequence,
        "version": decision.payload["version"],
        "outcome": PASSED if check.passed else REFUSED,
        "why": check.says,
        "measured": measured,
    }
    draft = Draft(decision.effective_at, payload)
    return ledger.append_once(
        settings,
        pipeline.name,
        kind=SHADOWED,
        make=lambda entries: History(entries).shadow_of(decision.sequence) or draft,
        kinds=HISTORY_KINDS,
    )


def _measured(pipeline: Pipeline, decision: Entry, history: History, settings: Settings) -> dict[str, Any]:
    """What the rule judges: windows that count, their rows, how far predictions are apart, the evidence on labels."""
    rule: Shadowed = pipeline.gate.shadowed.build()  # type: ignore[union-attr]
    refit = history.refit_of(decision.sequence)
    version = int((refit or decision).payload["version"])
    until = approval.scored_until(pipeline, settings)
    rows = _pairs(pipeline, version, decision.payload["champion_version"], settings, until=until)
    if rule.labelled and len(rows):
        rows = _labelled(pipeline, rows, until, settings)
    counted, windows = _whole(pipeline, rows, rule, until)
    measured: dict[str, Any] = {
        "windows": windows,
        "rows": len(rows),
        "difference": None,
        "evidence": None,
        "why": "",
        "version": version,
    }
    if not len(counted):
        return measured
    task = task_of(pipeline)
    champion, challenger = (
        task.from_column(counted[name]) for name in (shadowed_rows.CHAMPION_COLUMN, shadowed_rows.CHALLENGER_COLUMN)
    )
    apart = np.abs(champion - challenger)
    measured |= {"rows": len(counted), "difference": float((apart.max(axis=1) if apart.ndim > 1 else apart).mean())}
    if not rule.labelled:
        return measured
    evidence, problems = gate_evidence.compare(pipeline, counted, champion, challenger)
    mine = [item for item in evidence if item.metric == pipeline.gate.compare.metric]
    return measured | {"evidence": mine[0].to_json() if mine else None, "why": "; ".join(problems)}


def _pairs(pipeline: Pipeline, version: int, champion: int, settings: Settings, *, until: datetime) -> pd.DataFrame:
    """The rows before an instant that both predicted, by decision time; of an entity the first answer.

    Rows that sent features of their own count too: an application may send all of them, always.
    """
    uri, key = shadowed_rows.shadow_uri(pipeline, settings), pipeline.prediction.entity_key
    columns = [key, "answered_at", "decision_time", shadowed_rows.CHAMPION_COLUMN, shadowed_rows.CHALLENGER_COLUMN]
    start = pipeline.coverage.start
    if (
        start >= until
        or prediction_tables.opened(uri, pipeline, settings, column=shadowed_rows.CHAMPION_COLUMN) is None
    ):
        return pd.DataFrame(columns=columns)
    both = (
        lake.between("decision_time", Window(start, until))
        & (pc.field("challenger_version") == version)
        & (pc.field("champion_version") == champion)
    )
    rows = lake.read(uri, settings, where=both, columns=columns).to_pandas()
    named = rows[rows[key].notna()].sort_values("answered_at").drop_duplicates(key)
    in_order: pd.DataFrame = named.sort_values(["decision_time", key]).reset_index(drop=True)
    return in_order


def _labelled(pipeline: Pipeline, rows: pd.DataFrame, until: datetime, settings: Settings) -> pd.DataFrame:
    times = rows["decision_time"]
    span = Window(times.min().to_pydatetime(), times.max().to_pydatetime() + timedelta.resolution)
    labels = examples.labels(pipeline, span, settings, as_of=max(until, span.end))
    known = rows[pipeline.prediction.entity_key].map(labels).astype("float64")
    rows = rows.assign(label=examples.with_absent(pipeline, known, times, until))
    labelled: pd.DataFrame = rows[rows["label"].notna()].reset_index(drop=True)
    return labelled


def _whole(pipeline: Pipeline, rows: pd.DataFrame, rule: Shadowed, until: datetime) -> tuple[pd.DataFrame, int]:
    """The rows of windows that are over, whose labels are mature where those count, and that hold enough of them."""
    if not len(rows):
        return rows, 0
    delay = pipeline.prediction.label_delay if rule.labelled else timedelta(0)
    times = rows["decision_time"]
    span = Window(times.iloc[0].to_pydatetime(), times.iloc[-1].to_pydatetime() + timedelta.resolution)
    keep, count = np.zeros(len(rows), dtype=bool), 0
    for window in calendar_windows(pipeline.calendar, span):
        inside = ((times >= window.start) & (times < window.end)).to_numpy()
        if window.end + delay <= until and inside.sum() >= rule.min_rows:
            keep, count = keep | inside, count + 1
    counted: pd.DataFrame = rows[keep].reset_index(drop=True)
    return counted, count
