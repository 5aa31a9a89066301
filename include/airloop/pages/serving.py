"""The page of the service: traffic, latency, versions, the challenger, live features beside the trained ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airloop.config import Pipeline, load_pipeline
from airloop.pages import answers, compared_features, history, mlflow_links, told_entries
from airloop.pages.answers import SPANS, Answers
from airloop.pages.site import Site
from airloop.records import Window
from airloop.reports import charts
from airloop.reports.rendering import render
from airloop.stores.ledger import History

_NAMES = {"hour": "%H:%M", "day": "%H:%M", "week": "%d %b %Hh", "four weeks": "%d %b", "year": "%d %b"}
# Two stand side by side.
_PICTURE_WIDTH = 560.0


@dataclass(frozen=True)
class Line:
    """A version that answered, or is to answer.

    Attributes:
        role: `champion`, `challenger`, or empty for a former one.
        since: Data time from which it is in force; None of one that never was.
    """

    version: int
    role: str
    since: datetime | None
    answered: answers.ByVersion | None


def page(site: Site, name: str) -> str:
    """What the service answered lately, from the lake.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        UpstreamUnavailable: The state database or the lake does not answer.
    """
    pipeline, settings = load_pipeline(name, site.settings), site.settings
    answered, decided = answers.newest(settings, name, site.now), told_entries.history(settings, name)
    versions = history.versions(settings, name)
    champion = decided.champion()
    trained = versions.get(decided.judged(champion)) if champion is not None else None
    features = compared_features.compared(settings, trained.snapshot, answered.features) if trained and answered else []
    return render(
        "serving.html",
        site=site,
        here="serving",
        pipeline=pipeline,
        answered=answered,
        pictures=_pictures(answered) if answered else {},
        colours=charts.COLOURS,
        lines=_lines(answered, decided),
        challenger=_challenger(site, pipeline, answered, decided),
        features=sorted(features, key=lambda item: (not item.far, item.name)),
        champion=champion,
        mlflow=mlflow_links.of_pipeline(settings, name, versions),
    )


def _pictures(answered: Answers) -> dict[str, Any]:
    names = [f"{slot.start:{_NAMES[answered.span]}}" for slot in answered.slots]
    shown: dict[str, dict[str, list[float | None]]] = {
        "answers": {"answers": [slot.answers for slot in answered.slots]},
        "latency": {"p50": [slot.p50 for slot in answered.slots], "p99": [slot.p99 for slot in answered.slots]},
    }
    return {name: charts.lines(names, series, width=_PICTURE_WIDTH) for name, series in shown.items()}


def _lines(answered: Answers | None, decided: History) -> list[Line]:
    """Who answered in the span and who is to answer, the champion first."""
    by_version = {line.version: line for line in answered.versions} if answered else {}
    champion, waiting = decided.champion(), _waiting(decided)
    roles = {waiting: "challenger", champion: "champion"}
    since = {
        int(entry.payload["version"]): entry.effective_at
        for kind in ("done", "rolled_back")
        for entry in decided.of(kind)
    }
    shown = {version for version in (*by_version, champion, waiting) if version is not None}
    lines = [Line(version, roles.get(version, ""), since.get(version), by_version.get(version)) for version in shown]
    order = ["champion", "challenger", ""]
    return sorted(lines, key=lambda line: (order.index(line.role), -line.version))


def _waiting(decided: History) -> int | None:
    decision = decided.waiting()
    return None if decision is None else int((decided.refit_of(decision.sequence) or decision).payload["version"])


def _challenger(site: Site, pipeline: Pipeline, answered: Answers | None, decided: History) -> dict[str, Any] | None:
    """The version that waits, how it is asked, and how far it was from the champion; None where none waits."""
    decision, version = decided.waiting(), _waiting(decided)
    if decision is None:
        return None
    serving = pipeline.serving
    span = Window(site.now - SPANS[answered.span if answered else "year"], site.now)
    beside = [item for item in answers.beside(site.settings, pipeline.name, span) if item.version == version]
    ways = [
        *(["shadows"] if serving.shadow else []),
        *([f"answers {100 * serving.canary.share:g} %"] if serving.canary else []),
    ]
    shadow = decided.shadow_of(decision.sequence)
    return {
        "version": version,
        "decision": decision.sequence,
        "asked": " and ".join(ways) or "is not asked (serving.shadow, serving.canary)",
        "locked": decided.lock() is not None,
        "beside": beside[0] if beside else None,
        "rule": pipeline.gate.shadowed is not None,
        "judged": shadow.payload["why"] if shadow else "",
    }
