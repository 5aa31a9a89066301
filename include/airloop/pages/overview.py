"""The overview of a pipeline: the closed loop on one page, and the list of all pipelines that leads to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from airloop.config import METRICS, Pipeline, load_declared, load_pipeline
from airloop.errors import AirloopError
from airloop.pages import alerts, class_table, history, measured, mlflow_links, standing, timeline, told_entries
from airloop.pages.champion import champion_card
from airloop.pages.history import Seen
from airloop.pages.loop_steps import steps
from airloop.pages.site import Site
from airloop.reports.rendering import render, window
from airloop.stores import lake
from airloop.stores.ledger import Entry, History

_WINDOWS, _WINDOWS_OF_A_CARD = 24, 2
_CARDS = 20


def page(site: Site, name: str, *, before: datetime | None = None) -> str:
    """What the loop did: where it stands, the champion in force, its live metrics, and a line per window.

    Args:
        before: Shows windows that start before it; the newest ones unless given.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        UpstreamUnavailable: The state database does not answer.
    """
    pipeline = load_pipeline(name, site.settings)
    newest_first = history.windows(site.settings, name, limit=_WINDOWS + 1, before=before)
    shown, more = newest_first[:_WINDOWS], len(newest_first) > _WINDOWS
    newest = history.with_looks(site.settings, name, limit=_WINDOWS)
    looks = newest if before is None else history.with_looks(site.settings, name, limit=_WINDOWS, before=before)
    decided = told_entries.history(site.settings, name)
    versions = history.versions(site.settings, name)
    metric = pipeline.monitoring.policy.metric
    live_metrics = _live_metrics(pipeline, shown)
    return render(
        "overview.html",
        site=site,
        here="overview",
        pipeline=pipeline,
        alerts=alerts.lines(site, [name]),
        standing=standing.standing(site, pipeline, newest, decided),
        predictions=lake.table_uri(site.settings, name, "predictions", "predictions"),
        classes=_classes(newest),
        metric=metric,
        live_metrics=live_metrics,
        steps=steps(site, pipeline, newest, decided),
        champion=champion_card(site, pipeline, newest, decided, versions),
        charts=_charts(pipeline, looks),
        lines=_lines(site, pipeline, shown, decided),
        older=site.pipeline(name, before=shown[-1].window.start.isoformat()) if more else "",
        newest=site.pipeline(name) if before else "",
        mlflow=mlflow_links.of_pipeline(site.settings, name, versions),
    )


def index(site: Site, names: Sequence[str], *, after: str = "") -> str:
    """A card per pipeline, so many a page, and the alerts of all; a wrong declaration is told on its card.

    Args:
        names: In their order.
        after: Shows pipelines whose names come after it.
    """
    try:
        open_alerts, problem = alerts.lines(site, names), ""
    except AirloopError as error:
        open_alerts, problem = [], str(error)
    later = [name for name in names if name > after]
    cards, more = [_card(site, name) for name in later[:_CARDS]], len(later) > _CARDS
    return render(
        "index.html",
        site=site,
        here="",
        cards=cards,
        alerts=open_alerts,
        problem=problem,
        count=len(names),
        first=site.href() if after else "",
        more=site.href(after=later[_CARDS - 1]) if more else "",
    )


def _card(site: Site, name: str) -> dict[str, Any]:
    try:
        pipeline = load_declared(name, site.settings)
        looks = _newest_told(site, name)
        decided = told_entries.history(site.settings, name)
        alarm = _unanswered(site, name)
        problem = ""
    except AirloopError as error:
        return {"name": name, "href": "", "problem": str(error)}
    newest = next((item for item in looks if item.has_data()), looks[0] if looks else None)
    triaged = next((item.record("triage") for item in looks if item.record("triage")), {})
    return {
        "name": name,
        "href": site.pipeline(name),
        "problem": problem,
        "description": pipeline.description,
        "owner": pipeline.owner,
        "champion": decided.in_force(),
        "window": newest.window if newest else None,
        "triage": triaged.get("kind", ""),
        "locked": decided.lock() is not None,
        "decision": decided.latest("decision"),
        "alarm": alarm,
    }


def _unanswered(site: Site, name: str) -> Entry | None:
    """The newest alarm of the ledger, unless somebody answered it."""
    alarm = told_entries.newest(site.settings, name, "alarm")
    answers = told_entries.entries(site.settings, name, kinds=["answered"]) if alarm else ()
    about = alarm.payload.get("alarm") if alarm else None
    return None if any(about and entry.payload.get("alarm") == about for entry in answers) else alarm


def _newest_told(site: Site, name: str) -> tuple[Seen, ...]:
    """The newest windows and looks, as few as say what a card says; more where those are empty."""
    looks: tuple[Seen, ...] = ()
    for limit in (_WINDOWS_OF_A_CARD, _WINDOWS):
        looks = history.with_looks(site.settings, name, limit=limit)
        complete = any(look.has_data() for look in looks) and any(look.record("triage") for look in looks)
        if complete or len(looks) < limit:
            break
    return looks


def _classes(windows: Sequence[Seen]) -> dict[str, Any] | None:
    """What the newest look with labels saw of each class."""
    looks = (item for item in windows if item.record("monitor").get("confusion"))
    newest = next(looks, None)
    return {"window": newest.window, **class_table.table(newest.record("monitor"))} if newest else None


def _live_metrics(pipeline: Pipeline, shown: Sequence[Seen]) -> list[str]:
    """At most two metrics that were measured live, the policy's first."""
    measured_live = {key for item in shown for key, value in item.record("monitor").get("live", {}).items() if value}
    first = pipeline.monitoring.policy.metric
    known = sorted(pipeline.metrics, key=lambda name: name != first)
    return [name for name in known if name in measured_live][:2]


def _charts(pipeline: Pipeline, looks: Sequence[Seen]) -> list[dict[str, Any]]:
    names = _live_metrics(pipeline, looks)
    return [_chart(looks, name, alone=len(names) == 1) for name in names]


def _chart(shown: Sequence[Seen], metric: str, *, alone: bool) -> dict[str, Any]:
    # Where looks have a calendar of their own, the windows between them have none.
    looks = [item for item in shown if item.record("monitor")][:_WINDOWS]
    points = [_point(item, metric) for item in reversed(looks)]
    better = "lower" if METRICS[metric].sign < 0 else "higher"
    return {"metric": metric, "better": better, "picture": timeline.draw(points, alone=alone)}


def _point(item: Seen, metric: str) -> timeline.Point:
    monitored = item.record("monitor")
    value, lower, upper = measured.live(monitored, metric)
    return timeline.Point(window(item.window), value, lower, upper, int(monitored.get("version") or 0))


def _lines(site: Site, pipeline: Pipeline, shown: Sequence[Seen], decided: History) -> list[dict[str, Any]]:
    feeds = [name for name, feed in pipeline.feeds.items() if not feed.static]
    metric = pipeline.monitoring.policy.metric
    proofs = {item.window: measured.probe(item.record("monitor"), metric) for item in shown}
    axis = measured.reach(*filter(None, proofs.values()))
    return [
        {
            "window": item.window,
            "look_alone": item.is_look_alone(),
            "href": site.window(pipeline.name, item.window),
            "examples": item.examples(),
            "refused": item.refused(feeds),
            "aside": len(item.record("ingest").get("set_aside", ())),
            "score": item.record("score"),
            "monitor": item.record("monitor"),
            "live": {name: measured.live(item.record("monitor"), name) for name in pipeline.metrics},
            "proof": measured.drawn(proof, axis) if (proof := proofs[item.window]) else None,
            "triage": item.record("triage"),
            "decisions": [entry for entry in decided.of("decision") if _belongs(entry, item)],
        }
        for item in shown
    ]


def _belongs(entry: Entry, item: Seen) -> bool:
    return item.window.start < entry.effective_at <= item.window.end
