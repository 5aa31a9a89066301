"""A window: what its stages recorded, and its reports: validation of rows and features, data profile, drift."""

from dataclasses import dataclass

from airloop.config import Pipeline, load_pipeline
from airloop.config.calendar import is_period, period_end, period_start
from airloop.errors import GuardRefused
from airloop.pages import class_table, history, measured, mlflow_links, report_files, told_entries
from airloop.pages.history import Seen
from airloop.pages.site import Site
from airloop.records import Window
from airloop.reports.rendering import count, instant, metric_title, render, score, share, words

_REPORTS = {
    "raw": ("Validation: rows", ("validation", "raw"), "validate_raw writes it, also when the window fails"),
    "features": ("Validation: features", ("validation", "features"), "validate_features writes it"),
    "profile": ("Data profile", ("profile",), "profile writes it, once the features are validated"),
    "drift": ("Drift report", ("monitoring",), "monitor writes it, once a champion scored and labels matured"),
}
_MOST_FILES = 3
REPORT_OF_GROUP = {"data": "raw", "monitoring": "drift"}
"""DAG group -> the report somebody who comes from its run wants to see first."""


@dataclass(frozen=True)
class Tab:
    """A report of the window: its key in the address, and where its file is served (empty: not written)."""

    key: str
    title: str
    href: str
    file: str
    written_by: str


@dataclass(frozen=True)
class Fact:
    """A number with its name; `note` is its interval."""

    name: str
    value: str
    note: str = ""
    bad: bool = False


def page(site: Site, name: str, window: Window, *, report: str = "", run: str = "") -> str:
    """The window's numbers, and one of its reports in a frame.

    Args:
        report: `raw`, `features`, `profile` or `drift`; what is there, in this order, unless given.
        run: The Airflow run whose window it is, when the page is a run's.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        GuardRefused: Nothing is recorded of it, and nothing ever will: it is no window of the pipeline.
        UpstreamUnavailable: The state database or the reports do not answer.
    """
    pipeline = load_pipeline(name, site.settings)
    item = history.of_window(site.settings, name, window)
    tabs = _tabs(site, pipeline, window, run=run)
    written = [tab for tab in tabs if tab.file]
    if not (item.records or written or run):
        _refuse_strange(pipeline, window)
    chosen = next((tab for tab in tabs if tab.key == report), written[0] if written else tabs[0])
    decided = told_entries.history(site.settings, name).of("decision")
    proof = measured.probe(item.record("monitor"), pipeline.monitoring.policy.metric)
    return render(
        "window.html",
        site=site,
        here="window",
        pipeline=pipeline,
        window=window,
        run=run,
        facts=_facts(pipeline, item),
        proof=measured.drawn(proof, measured.reach(proof)) if proof else None,
        triage=item.record("triage"),
        classes=class_table.table(item.record("monitor")) if item.record("monitor").get("confusion") else None,
        decisions=[e for e in decided if window.start < e.effective_at <= window.end],
        known=bool(item.records) or bool(written),
        tabs=tabs,
        chosen=chosen,
        mlflow=mlflow_links.of_pipeline(site.settings, name, history.versions(site.settings, name)),
    )


def _refuse_strange(pipeline: Pipeline, window: Window) -> None:
    """A window off the calendars of data and monitoring, or outside the coverage."""
    calendars = {pipeline.calendar, pipeline.calendar_of("monitoring")}
    first, last = pipeline.coverage.start, pipeline.coverage.end
    if not any(is_period(calendar, window) for calendar in calendars):
        start = period_start(pipeline.calendar, window.start)
        near = f"the {pipeline.calendar} window there is {start.isoformat()} to "
        why = near + period_end(pipeline.calendar, start).isoformat()
    elif window.end <= first or (last is not None and window.start >= last):
        why = f"its coverage is {first.isoformat()} to {last.isoformat() if last else 'today'}"
    else:
        return
    bounds = f"{window.start.isoformat()} to {window.end.isoformat()}"
    raise GuardRefused(f"{pipeline.name} has no window {bounds}, and nothing is recorded of it: {why}")


def _tabs(site: Site, pipeline: Pipeline, window: Window, *, run: str) -> list[Tab]:
    tabs = []
    for key, (title, parts, written_by) in _REPORTS.items():
        path = report_files.of_window(site.settings, pipeline.name, *parts, window=window)
        href = site.window(pipeline.name, window, report=key, **({"run": run} if run else {}))
        tabs.append(Tab(key, title, href, site.report(path) if path else "", written_by))
    return tabs


def _facts(pipeline: Pipeline, item: Seen) -> list[Fact]:
    """What people look for first: alarms, then numbers."""
    feeds = [name for name, feed in pipeline.feeds.items() if not feed.static]
    refused, monitored, scored = item.refused(feeds), item.record("monitor"), item.record("score")
    facts = [
        Fact("Alarm", f"{words(alarm['kind'])} of {alarm['subject']}", alarm["says"], bad=True)
        for alarm in monitored.get("alarms", ())
    ]
    facts += [
        Fact("Stalled", feed, "no file landed in time", bad=True) for feed in item.record("arrive").get("stalled", ())
    ]
    facts += [Fact("Empty", feed, why) for feed, why in item.record("ingest").get("empty", {}).items()]
    facts += [
        Fact("Set aside", f"{file['feed']}/{file['uri'].rpartition('/')[2]}", file["why"], bad=True)
        for file in item.record("ingest").get("set_aside", ())[:_MOST_FILES]
    ]
    more = len(item.record("ingest").get("set_aside", ())) - _MOST_FILES
    facts += (
        [Fact("Set aside", f"{more} more file{'s' if more > 1 else ''}", "airloop quarantine list names all", bad=True)]
        if more > 0
        else []
    )
    facts += [Fact("To predict", count(item.examples()))] if item.examples() is not None else []
    facts += [Fact("Rows quarantined", count(refused), bad=refused > 0)] if refused is not None else []
    if scored.get("version"):
        facts.append(Fact(f"Predictions of v{scored['version']}", count(scored["rows"])))
    if monitored.get("version"):
        decided = Window.from_json(monitored["rows_window"])
        rows_judged = f"{count(monitored['labelled_rows'])} labelled rows"
        facts.append(
            Fact("Evidence, decided (UTC)", f"{instant(decided.start)} to {instant(decided.end)}", rows_judged)
        )
    for metric in pipeline.metrics:
        value, lower, upper = measured.live(monitored, metric)
        if value is not None:
            bounds = "" if lower is None or upper is None else f"{score(lower)} to {score(upper)}"
            facts.append(Fact(f"Live {metric_title(metric)}", score(value), bounds))
    if monitored.get("drifted_share") is not None:
        facts.append(Fact("Features drifted", share(monitored["drifted_share"])))
    return facts
