"""Where the loop stands: its steps in order, each with the newest thing that happened there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airloop.config import Pipeline
from airloop.pages.history import Seen
from airloop.pages.site import Site
from airloop.records import TAKE_BACK
from airloop.reports.rendering import count, metric_title, score, share, window, words
from airloop.stores.ledger import History


@dataclass(frozen=True)
class Step:
    """One step of the loop.

    Attributes:
        value: What happened last, in a word or number; empty when nothing has yet.
        note: What that is.
        state: `good`, `bad`, `open` (neither), or empty.
    """

    name: str
    value: str
    note: str
    href: str
    state: str = "open"


def steps(site: Site, pipeline: Pipeline, windows: Sequence[Seen], decided: History) -> tuple[Step, ...]:
    """The six steps, from data to the champion that scores the next window; `windows` newest first."""
    makers: tuple[Callable[[Site, Pipeline, Sequence[Seen]], Step], ...] = (_data, _features, _score, _monitor, _triage)
    return (*(make(site, pipeline, windows) for make in makers), _gate(site, pipeline, decided))


def _data(site: Site, pipeline: Pipeline, windows: Sequence[Seen]) -> Step:
    newest = _newest(windows, "validate_raw", lambda item: item.has_data())
    feeds = [name for name, feed in pipeline.feeds.items() if not feed.static]
    refused = newest.refused(feeds) if newest else None
    if newest is None or refused is None:
        return Step("Data", "", "no window was validated yet", "")
    note = f"to predict in {window(newest.window)}; {count(refused)} {'row' if refused == 1 else 'rows'} quarantined"
    href = site.window(pipeline.name, newest.window, report="raw")
    return Step("Data", count(newest.examples()), note, href, "bad" if refused else "good")


def _features(site: Site, pipeline: Pipeline, windows: Sequence[Seen]) -> Step:
    newest = _newest(windows, "materialize")
    if newest is None:
        return Step("Features", "", "nothing was materialized yet", site.pipeline(pipeline.name, "features"))
    views = len(newest.record("materialize")["rows"])
    note = f"views online, up to {window(newest.window)}"
    return Step("Features", str(views), note, site.pipeline(pipeline.name, "features"), "good")


def _score(site: Site, pipeline: Pipeline, windows: Sequence[Seen]) -> Step:
    newest = _newest(windows, "score", lambda item: bool(item.record("score").get("rows")))
    scored = newest.record("score") if newest else {}
    if newest is None or not scored.get("version"):
        return Step("Predictions", "", "no champion has scored yet", "")
    note = f"predictions of {window(newest.window)} by v{scored['version']}"
    return Step("Predictions", count(scored["rows"]), note, site.window(pipeline.name, newest.window), "good")


def _monitor(site: Site, pipeline: Pipeline, windows: Sequence[Seen]) -> Step:
    newest = _newest(windows, "monitor", lambda item: bool(item.record("monitor").get("labelled_rows")))
    monitored = newest.record("monitor") if newest else {}
    if newest is None or not monitored.get("version"):
        return Step("Monitoring", "", "no champion was judged yet", "")
    metric = pipeline.monitoring.policy.metric
    drift = f"{share(monitored['drifted_share'])} of features drifted" if monitored["drifted_share"] is not None else ""
    note = ", ".join(filter(None, [f"live {metric_title(metric)} of {window(newest.window)}", drift]))
    href = site.window(pipeline.name, newest.window, report="drift")
    return Step("Monitoring", score(monitored["live"].get(metric)), note, href)


def _triage(site: Site, pipeline: Pipeline, windows: Sequence[Seen]) -> Step:
    newest = _newest(windows, "triage")
    if newest is None:
        return Step("Triage", "", "nothing was triaged yet", "")
    action = newest.record("triage")
    state = {"retrain": "good", TAKE_BACK: "bad"}.get(action["kind"], "open")
    href = site.pipeline(pipeline.name, "ledger") + f"#entry-{action['sequence']}"
    why = str(action["why"]).partition(":")[0]
    return Step("Triage", words(action["kind"]), f"after {window(newest.window)}: {why}", href, state)


def _gate(site: Site, pipeline: Pipeline, decided: History) -> Step:
    decision = decided.latest("decision")
    if decision is None:
        return Step("Gate", "", "no candidate was judged yet", site.pipeline(pipeline.name, "ledger"))
    version, passed = decision.payload["version"], decision.payload["outcome"] == "passed"
    champion = decided.champion()
    stays = f"v{champion} is the champion" if champion else "no champion yet"
    href = site.pipeline(pipeline.name, "ledger") + f"#entry-{decision.sequence}"
    return Step("Gate", f"v{version} {decision.payload['outcome']}", stays, href, "good" if passed else "open")


def _newest(windows: Sequence[Seen], stage: str, with_data: Callable[[Seen], bool] | None = None) -> Seen | None:
    """The newest window that a stage has taken; one with data before an empty one."""
    with_record = [item for item in windows if item.record(stage)]
    full = [item for item in with_record if with_data is None or with_data(item)]
    return next(iter(full or with_record), None)
