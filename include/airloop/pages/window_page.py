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
from airloop.stores import alarms
from airloop.stores.alarms import RaisedAlarm

_REPORTS = {
    "raw": ("Validation: rows", ("validation", "raw"), "validate_raw writes it, also when the window fails"),
    "features": ("Validation: features", ("validation", "features"), "validate_features writes it"),
    "profile": ("Data profile", ("profile",), "profile writes it, once the features are validated"),
    "drift": ("Drift report", ("monitoring",), "monitor writes it, once a champion scored and labels matured"),
}
_JOINED = {"features": "validate_features", "profile": "profile"}
"""Report -> the stage that writes it of windows that are built together, at once."""

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


@dataclass(frozen=True)
class Trouble:
    """What was not as it is usual in the window, and why, in words."""

    name: str
    what: str
    why: str
    state: str = "bad"


def page(site: Site, name: str, window: Window, *, report: str = "", run: str = "") -> str:
    """The window's numbers, and one of its reports in a frame.

    Args:
        report: `raw`, `features`, `profile` or `drift`; what is there, in this order, unless given.
        run: The Airflow run whose window it is, when the page is a run's.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        GuardRefused: Nothing is recorded of it, and nothing ever will: it is not a window of the pipeline.
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
        troubles=_troubles(site, pipeline, item),
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
        stage = _JOINED.get(key)
        over = history.longer_run(site.settings, pipeline.name, window, stage) if stage and not path else None
        if over is not None:
            path = report_files.of_window(site.settings, pipeline.name, *parts, window=over)
            title = f"{title}, {instant(over.start)} to {instant(over.end)}"
        href = site.window(pipeline.name, window, report=key, **({"run": run} if run else {}))
        tabs.append(Tab(key, title, href, site.report(path) if path else "", written_by))
    return tabs


def _troubles(site: Site, pipeline: Pipeline, of_window: Seen) -> list[Trouble]:
    """What people look for first: alarms, then what did not land or was not read."""
    if not of_window.records:
        return []
    raised = alarms.raised(pipeline, site.settings, span=of_window.window, stages=alarms.ROW_STAGES)
    noticed = [_noticed(pipeline, item) for item in raised if item.window == of_window.window]
    stalled = [
        Trouble("Stalled", feed, "no file landed in time") for feed in of_window.record("arrive").get("stalled", ())
    ]
    empty = [Trouble("Empty", feed, why, "open") for feed, why in of_window.record("ingest").get("empty", {}).items()]
    files = of_window.record("ingest").get("set_aside", ())
    aside = [
        Trouble("Set aside", f"{file['feed']}/{file['uri'].rpartition('/')[2]}", file["why"])
        for file in files[:_MOST_FILES]
    ]
    if more := len(files[_MOST_FILES:]):
        says = "`airloop quarantine list` names all"
        aside.append(Trouble("Set aside", f"{more} more file{'s' if more > 1 else ''}", says))
    return [*noticed, *stalled, *empty, *aside]


def _noticed(pipeline: Pipeline, item: RaisedAlarm) -> Trouble:
    what = f"{words(item.alarm.kind)} of {item.alarm.subject}"
    if item.open:
        hold = "trainings on these rows wait" if item.alarm.holds_training else "trainings go on"
        return Trouble("Alarm", what, f"{item.alarm.says}; {hold}: `airloop alarms answer {pipeline.name} {item.id}`")
    return Trouble("Alarm", what, f"{item.alarm.says}; answered: {item.answer}", "open")


def _facts(pipeline: Pipeline, item: Seen) -> list[Fact]:
    """The numbers of a window."""
    feeds = [name for name, feed in pipeline.feeds.items() if not feed.static]
    refused, monitored, scored = item.refused(feeds), item.record("monitor"), item.record("score")
    facts = [Fact("To predict", count(item.examples()))] if item.examples() is not None else []
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
