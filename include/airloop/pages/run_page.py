"""The page of one Airflow run: its window's; of a training or a promotion its decision's; else why there is none."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from airloop.config import METRICS, Pipeline, calendar_windows, load_pipeline
from airloop.config.calendar import Calendar
from airloop.config.dag_ids import pipeline_and_group
from airloop.errors import DataContractError
from airloop.pages import decisions, history, mlflow_links, told_entries, window_page
from airloop.pages.site import Site
from airloop.records import Window
from airloop.reports.rendering import render
from airloop.stores.ledger import Entry

_OF_WINDOWS = ("data", "scoring", "monitoring")

Results = Mapping[str, Sequence[Any]]
"""Task id -> what its tasks returned (several where it is mapped): records as JSON."""


def page(
    site: Site, dag_id: str, run_id: str, *, results: Results, conf: Mapping[str, Any], partition: datetime | None
) -> str:
    """What to look at after a run, by what its tasks returned, its Params and its partition.

    Raises:
        ConfigError: The DAG is of no declared pipeline.
        UpstreamUnavailable: The state database or the reports do not answer.
    """
    name, group = pipeline_and_group(dag_id)
    pipeline = load_pipeline(name, site.settings)
    if group in _OF_WINDOWS:
        window = _window(pipeline.calendar_of(group), results, conf, partition)
        if window is not None:
            report = window_page.REPORT_OF_GROUP.get(group, "")
            return window_page.page(site, name, window, report=report, run=run_id)
        return _nothing(site, pipeline, run_id, "It has no window: neither Params start and end nor a partition.")
    sequence = _decision(results, conf)
    if sequence is not None:
        return _decided(site, pipeline, run_id, sequence)
    if group == "training":
        return _nothing(site, pipeline, run_id, "It has not decided yet, or failed before: the tasks' logs say why.")
    return _nothing(site, pipeline, run_id, f"Runs of {dag_id} write no report: the logs of their tasks tell all.")


def _window(calendar: Calendar, results: Results, conf: Mapping[str, Any], partition: datetime | None) -> Window | None:
    """The window the tasks worked on; before the first has ended, the one that was asked for."""
    records = (record for of_task in results.values() for record in of_task)
    windows = (record.get("window") for record in records if isinstance(record, Mapping))
    named = [window for window in windows if isinstance(window, Mapping) and {"start", "end"} <= set(window)]
    try:
        if named:
            return Window.parse(named[0]["start"], named[0]["end"])
        if conf.get("start") and conf.get("end"):
            return Window.parse(conf["start"], conf["end"])
        if partition is not None:
            return calendar_windows(calendar, Window(partition, partition + timedelta.resolution))[0]
    except DataContractError:  # somebody asked for no window; the tasks refused it too
        return None
    return None


def _decision(results: Results, conf: Mapping[str, Any]) -> int | None:
    """The number of the decision a training made, or a promotion acts on."""
    decided = [record.get("sequence") for record in results.get("decide", ()) if isinstance(record, Mapping)]
    sequence = str(decided[0] if decided else conf.get("sequence"))
    return int(sequence) if sequence.isdecimal() else None


def _decided(site: Site, pipeline: Pipeline, run_id: str, sequence: int) -> str:
    entries = told_entries.entries(site.settings, pipeline.name)
    decision = next((entry for entry in entries if entry.sequence == sequence and entry.kind == "decision"), None)
    if decision is None:
        return _nothing(site, pipeline, run_id, f"The ledger has no decision {sequence}.")
    versions = history.versions(site.settings, pipeline.name)
    version = versions.get(decision.payload["version"])
    return render(
        "decision.html",
        site=site,
        here="decision",
        pipeline=pipeline,
        run=run_id,
        decision=decision,
        version=version,
        lines=decisions.lines(site, _chain(entries, decision), versions),
        server=mlflow_links.server(site.settings),
        sign=METRICS[pipeline.training.metric].sign,
        links=mlflow_links.of_version(site.settings, pipeline.name, version) if version else {},
        mlflow=mlflow_links.of_pipeline(site.settings, pipeline.name, versions),
    )


def _chain(entries: Sequence[Entry], decision: Entry) -> list[Entry]:
    """What led to a decision, the decision, and what followed from it."""
    key = decision.payload.get("reason_key")
    triaged = [e for e in entries if e.kind == "triage" and key and e.payload.get("reason_key") == key]
    acted = [e for e in entries if e.payload.get("decision_sequence") == decision.sequence]
    return [*triaged[-1:], decision, *acted]


def _nothing(site: Site, pipeline: Pipeline, run_id: str, why: str) -> str:
    return render("nothing.html", site=site, here="run", pipeline=pipeline, run=run_id, why=why, mlflow={})
