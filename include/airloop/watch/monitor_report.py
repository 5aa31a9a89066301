"""What monitoring found, for people (Evidently's report) and for programs (JSON), one pair of files per window."""

import html
import json
from string import Template
from typing import Any

from airloop import reports
from airloop.config import METRICS
from airloop.problems import Task
from airloop.records import Monitored
from airloop.reports.rendering import instant, words
from airloop.settings import Settings
from airloop.watch.drift import Drift


def headline(monitored: Monitored, task: Task) -> dict[str, str]:
    """What a person looks for first: alarms, then numbers with their intervals; label -> value."""
    shown = {f"ALARM: {words(alarm.kind)} of {alarm.subject}": alarm.says for alarm in monitored.alarms}
    shown |= {
        "champion": f"version {monitored.version}" if monitored.version else "none in force",
        "labelled rows": f"{monitored.labelled_rows:,}",
        "when decided (UTC)": f"{instant(monitored.rows_window.start)} to {instant(monitored.rows_window.end)}",
        task.gap_title: _number(monitored.calibration_gap),
    }
    if monitored.reference_digest:
        shown["compared with reference"] = monitored.reference_digest[:12]
    if rate := monitored.alarm_rate:
        shown["share of alarms among scored rows"] = _interval(rate.share, rate.lower, rate.upper)
    for metric in task.metrics:
        bounds = (monitored.live[f"{metric}{end}"] for end in ("", "_lower", "_upper"))
        shown[f"live {METRICS[metric].title}"] = _interval(*bounds)
    for evidence in monitored.probe:
        gain = _interval(evidence.gain, evidence.lower, evidence.upper)
        shown[f"gain of the probe, {METRICS[evidence.metric].title}"] = gain
    return shown


def publish(monitored: Monitored, task: Task, drift: Drift | None, page: str, settings: Settings) -> Monitored:
    """Write report and metrics of a window in place of those of an earlier run; returns the record they belong to.

    The metrics are the record plus `psi` (feature -> score, ignored ones too), `not_judged` (feature -> why it has no
    score), `empty_features` and `missing_share` (feature -> share of rows without a value).

    Args:
        page: The report; empty where there is too little for Evidently's.
    """
    metrics: dict[str, Any] = {
        **monitored.to_json(),
        "psi": drift.psi if drift else {},
        "not_judged": drift.not_judged if drift else {},
        "empty_features": list(drift.empty) if drift else [],
        "missing_share": drift.missing_shares if drift else {},
    }
    text = json.dumps(metrics, indent=1, sort_keys=True, allow_nan=False) + "\n"
    reports.publish(monitored.metrics_uri, text, settings)
    reports.publish(monitored.report_uri, page or _plain_page(monitored, task), settings)
    return monitored


def _plain_page(monitored: Monitored, task: Task) -> str:
    why = "no champion was in force" if monitored.version == 0 else "too few rows to measure drift"
    shown = headline(monitored, task).items()
    lines = "".join(f"<li>{html.escape(label)}: {html.escape(value)}</li>" for label, value in shown)
    return _PAGE.substitute(title=html.escape(f"{monitored.model_name} {monitored.window}"), why=why, lines=lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _interval(value: float | None, lower: float | None, upper: float | None) -> str:
    return _number(value) if lower is None or upper is None else f"{_number(value)} [{lower:.4f}, {upper:.4f}]"


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<style>:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; }</style>
</head><body><h1>$title</h1><p>Not enough data: $why.</p><ul>$lines</ul></body></html>
""")
