"""monitor: what the champion did on rows whose labels have matured, and what a retraining would have done better."""

import logging
from dataclasses import dataclass, replace
from typing import Literal

from airloop.config import Pipeline
from airloop.data import quarantine
from airloop.deployment import Deployment
from airloop.features import feature_store, sections
from airloop.models import model_version, own_features
from airloop.problems import task_of
from airloop.records import Monitored, Record, Window
from airloop.settings import Settings
from airloop.stores import lake, ledger, ledger_witness, tables_read
from airloop.stores.ledger import Entry
from airloop.stores.tables_read import TablesRead
from airloop.watch import after_promotion, drift, kept_reference, measured_look, monitor_report, past, rhythm, watch
from airloop.watch.drift import Drift, Sides
from airloop.watch.evidence import LookedAt, evidence_of
from airloop.watch.performance import Look
from airloop.watch.scored_rows import quality, scored_rows

logger = logging.getLogger(__name__)

Origin = Literal["live", "backfill"]


@dataclass(frozen=True)
class LookReads(Record):
    """What a monitoring run depends on.

    Attributes:
        tables: Predictions, clean and refused rows, features up to the window's end.
        version: The champion in force at window.start; None without one, and then there is nothing else.
        evidence: What of it is judged.
        past: Its earlier looks, newest first; see airloop.watch.past.
        promotion: The promotion that this look is to measure.
    """

    tables: TablesRead
    version: int | None
    evidence: LookedAt | None = None
    past: tuple[Monitored, ...] = ()
    promotion: Entry | None = None


def inputs(at: Deployment, window: Window, *, origin: Origin = "live") -> LookReads:
    """Tables and champion, the evidence about it, and the looks before."""
    pipeline, settings = at.pipeline, at.settings
    tables = _tables(pipeline, window, settings)
    ledger_witness.refuse_forgotten(settings, pipeline.name)
    version = ledger.champion_at(settings, pipeline.name, window.start)
    if version is None:
        return LookReads(tables, None)
    judged = evidence_of(pipeline, window, version, settings)
    return LookReads(
        tables,
        version,
        judged,
        tuple(past.earlier_windows(pipeline, judged.window, version, settings)),
        after_promotion.due(pipeline, window, settings, origin=origin),
    )


def _tables(pipeline: Pipeline, window: Window, settings: Settings) -> TablesRead:
    table = {"predictions": ("predictions", "predictions")}
    table |= {f"clean/{name}": ("clean", name) for name in pipeline.feeds}
    table |= {f"quarantine/{name}": ("quarantine", name) for name, feed in pipeline.feeds.items() if not feed.static}
    table |= {f"features/{view}": ("features", view) for view in sections.view_names(pipeline, settings)}
    known = Window(pipeline.coverage.start - pipeline.prediction.label_delay, window.end)
    static = {f"clean/{name}" for name, feed in pipeline.feeds.items() if feed.static}
    uris = {name: lake.table_uri(settings, pipeline.name, *place) for name, place in table.items()}
    return tables_read.look_at(uris, settings, window=known, whole=static)


def monitor(at: Deployment, window: Window, reads: LookReads, *, origin: Origin = "live") -> Monitored:
    """Judge the champion in force at window.start on the evidence of the look (airloop.watch.evidence).

    Performance, calibration and probe are measured on rows that have a label known before window.end and a live
    prediction of this very champion. The first rows after a promotion, scored by the champion before it, are counted in
    `quality` and left out: every number of the record is about one model, as it predicted then. Drift compares all
    examples of the rows window with the champion's training rows, as its kept reference has them (see
    airloop.watch.kept_reference), and its live predictions with those on its holdout.
    Left out are windows before this one whose rows a person excluded, or whose features were never built.

    Where today's features mean something else than those the champion learned from, its own are computed, and there is
    no probe: `by_pinned_features` of the record.

    Without a champion in force there is nothing to judge: version 0, no labelled row, every number None. Report and
    metrics are written below `<reports>/<pipeline>/monitoring/`, in place of those of an earlier run over the window.

    Args:
        origin: Evidence of a `backfill` triggers nothing.

    Returns:
        `live`, `probe`: see airloop.watch.performance. `quality`: rows, unlabelled_share, unlabelled_scored_share
        (of the rows this champion predicted live), unscored_rows (no champion did), other_champion_rows, duplicate_rows
        (equal in decision time and every feature), missing_share_max (over features), empty_features, quarantined_rows
        (of all feeds, by event time). `alarms`: see airloop.watch.watch.

    Raises:
        ConfigError: features.ignore_drift names a feature that the service lacks.
        GuardRefused: The champion does not load, or its features mean something else now and its own cannot be
            computed.
        DataContractError: A live prediction or a label is not what the task says, or a row has two predictions of one
            champion.
        UpstreamUnavailable: Features of the rows window, or of the rows to fit the probe on, are not validated.
    """
    pipeline, settings, version, judged = at.pipeline, at.settings, reads.version, reads.evidence
    if version is None or judged is None:
        logger.info("%s %s: no champion in force, nothing to judge", pipeline.name, window)
        nothing = measured_look.record(pipeline, window, settings, version=0, origin=origin)
        return monitor_report.publish(nothing, task_of(pipeline), None, "", settings)
    with reads.tables.as_they_stood():
        return _judged(at, window, reads, version, judged, origin=origin)


def _judged(
    at: Deployment, window: Window, reads: LookReads, version: int, judged: LookedAt, *, origin: str
) -> Monitored:
    pipeline, settings = at.pipeline, at.settings
    champion = model_version.load_serving(pipeline, version, settings)
    unfit = next(iter(champion.unfit_for(pipeline, settings)), "")
    rows, other_rows = scored_rows(pipeline, window, judged, version, settings)
    if unfit:
        span = rhythm.rows_window(pipeline, judged.window)
        rows = own_features.in_place_of_todays(pipeline, rows, span, champion, unfit, settings)
    # On rows of the champion's own features nobody else can be compared.
    look = Look(window, champion, judged, origin, unfit, None if unfit else reads.promotion)
    measured = measured_look.measured(pipeline, look, rows, settings)
    categories = measured_look.categories(pipeline, look, settings)
    known = kept_reference.reference_of(pipeline, champion, categories, settings)
    sides = measured_look.sides(pipeline, look, rows, known, categories)
    drifted = _drift(pipeline, drift.Reference(known.counts.columns, sides[0].predictions), sides[1], settings)
    refused, features = quarantine.count_rows(pipeline, measured.rows_window, settings), list(champion.features)
    counted = quality(
        rows, features, other_rows=other_rows, empty_features=len(drifted.empty), quarantined_rows=refused
    )
    noted = replace(measured_look.with_drift(measured, drifted, counted), reference_digest=known.digest)
    watched = watch.WatchedRows(champion, rows, known, drifted, categories)
    noticed = watch.alarms(pipeline, noted, watched, reads.past)
    return _published(pipeline, replace(noted, alarms=noticed), drifted, sides, settings)


def _drift(pipeline: Pipeline, reference: drift.Reference, now: Sides, settings: Settings) -> Drift:
    ignored = feature_store.ignored_in_drift(pipeline, settings)
    return drift.measure(reference, now, ignore=ignored, threshold=pipeline.monitoring.psi_threshold)


def _published(
    pipeline: Pipeline, monitored: Monitored, drifted: Drift, sides: tuple[Sides, Sides], settings: Settings
) -> Monitored:
    task = task_of(pipeline)
    says = ", ".join(f"{label} {value}" for label, value in monitor_report.headline(monitored, task).items())
    logger.info("%s %s: %s", pipeline.name, monitored.window, says)
    page = measured_look.page(pipeline, monitored, drifted, sides, settings)
    return monitor_report.publish(monitored, task, drifted, page, settings)
