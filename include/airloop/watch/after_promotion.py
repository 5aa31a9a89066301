"""What a promotion gained: the champion against the one it replaced, on the first rows that it scored live."""

import logging

import pandas as pd

from airloop.config import Pipeline
from airloop.errors import GuardRefused
from airloop.models import gate_evidence, model_version
from airloop.problems import PREDICTION, task_of
from airloop.records import AfterPromotion, Monitored, Window
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Draft, Entry, History, promises
from airloop.watch import performance

logger = logging.getLogger(__name__)


def due(pipeline: Pipeline, window: Window, settings: Settings, *, origin: str) -> Entry | None:
    """The promotion that the look of a window is to measure."""
    if origin != "live":
        return None
    history = ledger.history(settings, pipeline.name)
    return promises.to_be_measured(settings, pipeline.name, history, window.start, window.end)


def measure(
    pipeline: Pipeline, promotion: Entry | None, judged: pd.DataFrame, settings: Settings
) -> AfterPromotion | None:
    """The paired result of the champion's live predictions and what the one before it predicts for the same rows.

    Args:
        promotion: See `due`.
        judged: Rows that the champion predicted live: its features, decision_time, label, prediction without gaps.

    Returns:
        None where there is nothing to measure, or not yet enough rows and days (those of the probe): a later look
        measures then. Without evidence where the version before cannot be compared any more; `why_not` says why.
    """
    if promotion is None or not performance.may_probe(pipeline, judged):
        return None
    version, previous = int(promotion.payload["version"]), int(promotion.payload["previous_version"])
    days = Window(judged["decision_time"].min(), judged["decision_time"].max() + pd.Timedelta(microseconds=1))
    try:
        before = model_version.load_version(pipeline, previous, settings)
        if unfit := before.unfit_for(pipeline, settings):
            raise GuardRefused(unfit[0])
        if other := model_version.other_labels(pipeline, before, settings):
            raise GuardRefused(other)
        theirs = before.predict(pipeline, judged)
    except GuardRefused as error:
        return AfterPromotion(version, previous, promotion.sequence, days, (), str(error))
    live = task_of(pipeline).from_column(judged[PREDICTION])
    evidence, problems = gate_evidence.compare(pipeline, judged, theirs, live)
    return AfterPromotion(version, previous, promotion.sequence, days, evidence, "; ".join(problems))


def put_on_record(pipeline: Pipeline, monitored: Monitored, settings: Settings) -> None:
    """Append one `measured` entry of what a look measured; the same again adds none."""
    after = monitored.after_promotion
    if after is None:
        return
    history, metric = ledger.history(settings, pipeline.name), pipeline.gate.compare.metric
    promotion = next(entry for entry in history.of("done") if entry.sequence == after.promotion)
    decision_sequence = int(promotion.payload["decision_sequence"])
    stood = promises.promised(history, decision_sequence, metric)
    measured = next((item for item in after.evidence if item.metric == metric), None)
    payload = after.to_json() | {
        "decision_sequence": decision_sequence,
        "promised": stood.to_json() if stood else None,
        "verdict": promises.verdict(stood, measured),
        "why": promises.in_words(stood, measured, why_not=after.why_not),
    }
    ledger.append_once(
        settings,
        pipeline.name,
        kind=promises.MEASURED,
        make=lambda known: _newest_equal(known, payload) or Draft(monitored.window.end, payload),
        kinds=[promises.MEASURED],
    )
    logger.info("%s: version %d in place of %d: %s", pipeline.name, after.version, after.previous, payload["why"])


def why_taken_back(pipeline: Pipeline, monitored: Monitored, history: History) -> str:
    """Why `gate.probation` takes the champion of a look back: the figures of its loss; empty where it does not."""
    after, metric = monitored.after_promotion, pipeline.gate.compare.metric
    lost = promises.loss(after.evidence, metric) if after and pipeline.gate.probation else None
    if after is None or lost is None:
        return ""
    promotion = next((entry for entry in history.of("done") if entry.sequence == after.promotion), None)
    promise = promises.promised(history, int(promotion.payload["decision_sequence"]), metric) if promotion else None
    return promises.in_words(promise, lost)


def _newest_equal(known: tuple[Entry, ...], payload: dict[str, object]) -> Entry | None:
    newest = promises.newest_of_each(known).get(int(str(payload["promotion"])))
    return newest if newest is not None and newest.payload == payload else None
