"""A stand for the pages: what stages would have recorded of three days of the toy, put straight into its state."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tests.support import ledger_entries, toy

from airloop import reports
from airloop.pages.site import Site
from airloop.records import (
    Action,
    BuiltFeatures,
    Check,
    Decision,
    Evaluated,
    Evidence,
    Materialized,
    Monitored,
    Record,
    Scored,
    Snapshot,
    TableCheck,
    TrainedModel,
    TunedCandidate,
    Validated,
    Window,
)
from airloop.settings import Settings
from airloop.stores import ledger, state

MLFLOW = "http://127.0.0.1:5000"
NASTY = "<script>alert('x')</script>"
FEATURES = ("machine_code", "job_size", "celsius")


def site(settings: Settings) -> Site:
    return Site(settings.model_copy(update={"mlflow_ui_url": MLFLOW}), "/airloop", datetime(2020, 3, 2, tzinfo=UTC))


def evidence(gain: float = 0.02, *, width: float = 0.01, metric: str = "brier") -> Evidence:
    bounds = {"lower": gain - width, "upper": gain + width}
    return Evidence(
        metric, gain, **bounds, confidence=0.9, champion=0.2, candidate=0.18, rows=900, blocks=15, resamples=200, seed=7
    )


def save(settings: Settings, stage: str, window: Window, record: Record, key: str = "") -> None:
    state.save_record(
        settings, "toy", stage, input_key=key or f"{stage}{window}", window=window, record=record.to_json()
    )


def remember_window(settings: Settings, day: int, *, bad: int = 0, champion: int = 0, jobs: int = 60) -> Window:
    """A day that came in, and that a champion scored and was judged on when one is given."""
    window = toy.days(day, day + 1)
    checks = [TableCheck(name, rows, 0, 0.0, (), ()) for name, rows in (("heat", 2 * jobs), ("machines", 5))]
    checks.append(TableCheck("jobs", jobs, bad, bad / 60, (), ()))
    save(settings, "validate_raw", window, Validated(window, "raw", tuple(checks), (), "uri"))
    save(settings, "build_features", window, BuiltFeatures(window, (), "", jobs))
    save(settings, "materialize", window, Materialized(window, {"job_static": 60, "machine_heat": 120}, 40))
    if champion:
        save(settings, "score", window, Scored(window, champion, "champion", "live", 58, 58, 1))
        save(settings, "monitor", window, monitored(window, champion))
    return window


def monitored(window: Window, version: int) -> Monitored:
    live = {"brier": 0.2, "brier_lower": 0.15, "brier_upper": 0.25, "roc_auc": None, "roc_auc_lower": None}
    return Monitored(
        window=window,
        rows_window=window,
        model_name="toy",
        version=version,
        labelled_rows=55,
        live=live,
        probe=(evidence(),),
        drifted_share=1 / 3,
        drifted_features=("celsius",),
        prediction_psi=0.01,
        calibration_gap=0.0,
        quality={},
        origin="live",
        report_uri="",
        metrics_uri="",
    )


def remember_training(settings: Settings, version: int, *, cutoff_day: int, champion: int | None = None) -> Window:
    """The records of a training of three tuned candidates, and its comparison."""
    window = toy.days(0, cutoff_day)
    snapshot = Snapshot(
        pipeline="toy",
        cutoff=window.end,
        train=window,
        holdout=window,
        uri="uri",
        digest=f"digest{version}",
        train_rows=1234,
        holdout_rows=567,
        unlabelled_rows=0,
        features=FEATURES,
        feature_service="toy_v1",
        feature_fingerprint="f",
        table_versions={},
        leak_checked=(window.end,),
        reason="hand",
        reason_key=NASTY,
    )
    save(settings, "snapshot", window, snapshot)
    for number, name in enumerate(("forest", "boosting", NASTY)):
        tuned = TunedCandidate(name, {"depth": 3}, -0.1 * number, 4, 1.5, f"run{version}{number}")
        save(settings, "tune", window, tuned, key=f"{name}{version}")
    trained = TrainedModel("forest", "toy", version, f"run{version}", "models:/m", {}, snapshot.digest, "key", "17")
    save(settings, "train", window, trained)
    metrics: dict[str, float | None] = {"brier": 0.18, "roc_auc": 0.8, "log_loss": 0.5}
    evaluated = Evaluated("toy", version, champion, metrics, {}, (), window, 567, window.end, "hand", NASTY, ())
    save(settings, "evaluate", window, evaluated)
    return window


def decide(settings: Settings, version: int, *, at: datetime, passed: bool = True, champion: int | None = None) -> int:
    """A decision in the ledger; returns its number."""
    outcome = "passed" if passed else "refused"
    checks = (
        Check("floor brier", True, 0.18, "Brier 0.1800, must be at most 0.2200"),
        Check("gain", passed, 0.0, NASTY),
    )
    proofs = (evidence(), evidence(0.0, metric="roc_auc")) if champion else ()
    decision = Decision("toy", version, champion, outcome, f"{outcome}: {NASTY}", checks, proofs, "hand", NASTY, at)
    return ledger_entries.record(settings, "toy", decision).sequence or 0


def promote(settings: Settings, version: int, decision: int, *, at: datetime, previous: int | None = None) -> int:
    payload = {"decision_sequence": decision, "model_name": "toy", "previous_version": previous, "version": version}
    append(settings, "intended", at, payload)
    return append(settings, "done", at, payload)


def triage(settings: Settings, window: Window, *, kind: str = "nothing") -> None:
    action = Action(kind, f"no gain is sure: {NASTY}", "", window.end, (evidence(0.0),))
    payload = ledger.payload_of(action) | {"version": 1, "window": window.to_json()}
    entry = append(settings, "triage", window.end, payload)
    save(settings, "triage", window, Action(**{**vars(action), "sequence": entry}))


def append(settings: Settings, kind: str, at: datetime, payload: dict[str, Any]) -> int:
    return ledger.append(settings, "toy", kind=kind, effective_at=at, payload=payload).sequence


def remember(settings: Settings) -> None:
    """Day 0 and 1 without a champion, version 1 from day 1 on, day 2 scored and judged, version 2 refused."""
    remember_window(settings, 0)
    window = remember_window(settings, 1, bad=2)
    remember_training(settings, 1, cutoff_day=2)
    promote(settings, 1, decide(settings, 1, at=window.end), at=window.end)
    judged = remember_window(settings, 2, champion=1)
    triage(settings, judged)
    remember_training(settings, 2, cutoff_day=3, champion=1)
    decide(settings, 2, at=judged.end, passed=False, champion=1)


def write_report(
    settings: Settings, *parts: str, window: Window, text: str = "<p>report</p>", suffix: str = ".html"
) -> str:
    uri = reports.report_uri(settings, "toy", *parts, window=window, suffix=suffix)
    reports.publish(uri, text, settings)
    return uri


def addresses(html: str) -> set[str]:
    """Everything a page would load or link to."""
    attributes = re.findall(r"""(?:src|href|action|srcset|poster|data-src)\s*=\s*["']([^"']*)["']""", html)
    return {*attributes, *re.findall(r"url\(([^)]*)\)", html), *re.findall(r"@import\s+(\S+)", html)}


def routes(window: Window, run_id: str) -> dict[str, str]:
    """Route -> an address of it that opens, when the window's rows are validated and the run is of its data."""
    bounds = [f"{bound:%Y%m%dT%H%M%SZ}" for bound in (window.start, window.end)]
    return {
        "/": "/",
        "/features": "/features",
        "/pipelines/{pipeline}": "/pipelines/toy",
        "/pipelines/{pipeline}/ledger": "/pipelines/toy/ledger",
        "/pipelines/{pipeline}/versions/{version}": "/pipelines/toy/versions/1",
        "/pipelines/{pipeline}/features": "/pipelines/toy/features",
        "/pipelines/{pipeline}/serving": "/pipelines/toy/serving",
        "/pipelines/{pipeline}/review": "/pipelines/toy/review",
        "/pipelines/{pipeline}/windows/{start}/{end}": f"/pipelines/toy/windows/{bounds[0]}/{bounds[1]}",
        "/reports/{path:path}": f"/reports/toy/validation/raw/{bounds[0]}_{bounds[1]}.html",
        "/dags/{dag_id}": "/dags/toy__data",
        "/dags/{dag_id}/runs/{run_id:path}": f"/dags/toy__data/runs/{quote(run_id)}",
    }


def tomorrow(window: Window) -> Window:
    return Window(window.end, window.end + timedelta(days=1))
