"""What a pipeline waits for: files that are late, a person's answer, a lock that nobody lifted, files set aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from airloop.config import Pipeline, calendar_windows
from airloop.config.dag_ids import dag_of
from airloop.data import arrivals
from airloop.data.arrivals import Awaited
from airloop.pages.history import Seen
from airloop.pages.site import Site
from airloop.records import Window
from airloop.reports.rendering import count, instant, window
from airloop.stores import landed_files, ledger, state
from airloop.stores.ledger import History

_MOST_FILES = 3


@dataclass(frozen=True)
class OpenItem:
    """One thing that is not as it is when nothing is to do.

    Attributes:
        name: What it is, in a word.
        since: Wall clock from which it stands; None where nobody knows.
        to_do: The way on, in words; `command` is typed, where there is one.
        state: `bad`, `warn` or `open`.
    """

    name: str
    what: str
    since: datetime | None
    to_do: str
    command: str = ""
    state: str = "warn"


def standing(site: Site, pipeline: Pipeline, windows: Sequence[Seen], decided: History) -> list[OpenItem]:
    """All of it, what keeps a champion from being replaced first.

    Args:
        windows: The newest windows, newest first.

    Raises:
        UpstreamUnavailable: Landing folder or state database do not answer.
    """
    return [
        *_locked(pipeline, decided),
        *_lost(site, pipeline, decided),
        *_asked(pipeline, decided),
        *_beside(site, pipeline, decided),
        *_late(site, pipeline),
        *_set_aside(pipeline, windows),
    ]


def _locked(pipeline: Pipeline, decided: History) -> Iterator[OpenItem]:
    entry = decided.lock()
    if entry is None:
        return
    by = "a rollback" if entry.kind == "rolled_back" else "a lock"
    who, why = entry.payload.get("who", "?"), entry.payload.get("why", "?")
    yield OpenItem(
        "Promotions locked",
        f"by {by} of {who}: {why}",
        entry.recorded_at,
        "What passes its gate waits as challenger. When the reason is gone:",
        f"airloop unlock {pipeline.name} --why '...'",
        "bad",
    )


def _lost(site: Site, pipeline: Pipeline, decided: History) -> Iterator[OpenItem]:
    """A champion that lost against the version before it, and that probation could not take back."""
    entry = ledger.newest(site.settings, pipeline.name, "not_taken_back")
    if entry is None or entry.payload.get("version") != decided.champion():
        return
    yield OpenItem(
        "Champion lost",
        str(entry.payload.get("why", "?")),
        entry.recorded_at,
        "Train another, or go back by hand to a version that can take over:",
        f"airloop rollback {pipeline.name} --to VERSION --why '...'",
        "bad",
    )


def _asked(pipeline: Pipeline, decided: History) -> Iterator[OpenItem]:
    for version in decided.challengers() if pipeline.approval.when.any else ():
        decision = decided.newest_decision_on(version)
        if decision is None or decided.answer_to(decision.sequence) is not None:
            continue
        yield OpenItem(
            "Approval asked for",
            f"v{version} passed its gate (decision {decision.sequence}) and may wait for a person",
            decision.recorded_at,
            f"Answer in the run of {dag_of(pipeline.name, 'promotion')} that waits, or:",
            f"airloop approve {pipeline.name} {decision.sequence} --why '...'",
        )


def _beside(site: Site, pipeline: Pipeline, decided: History) -> Iterator[OpenItem]:
    """A version that has to be asked beside the champion before it is promoted (gate.rules: shadowed)."""
    decision = decided.waiting()
    if pipeline.gate.shadowed is None or decision is None or decided.shadow_of(decision.sequence):
        return
    yield OpenItem(
        "Live traffic",
        f"v{decision.payload['version']} passed its gate (decision {decision.sequence}) and has to shadow the champion",
        decision.recorded_at,
        "Each look of monitoring asks again, and promotes it when it was asked for long enough. Does the service run?",
        "airloop status",
        "open",
    )


def _late(site: Site, pipeline: Pipeline) -> Iterator[OpenItem]:
    """Files that a window of the calendar waits for now; a feed says by `lateness_hours` how long."""
    patience = arrivals.patience(pipeline)
    if not patience or not pipeline.coverage.holds(site.now):
        return
    files = landed_files.list_files(pipeline, site.settings)
    since = max(site.now - patience, pipeline.coverage.start)
    first: dict[str, tuple[Window, Awaited]] = {}
    for due in calendar_windows(pipeline.calendar, Window(since, site.now)):
        if due.end > site.now or state.latest_records(site.settings, pipeline.name, "ingest", window=due):
            continue
        for item in arrivals.awaited(pipeline, due, site.settings, files=files):
            if item.until > site.now:
                first.setdefault(item.feed, (due, item))
    for feed, (due, item) in first.items():
        newest = f"its files end at {instant(item.newest)}" if item.newest else "no file of it has landed"
        yield OpenItem(
            "Waiting",
            f"{window(due)} waits for {feed}/{item.file}: {newest}",
            due.end,
            f"Until {instant(item.until)} UTC; then its source has stalled. The window goes on when the file lands.",
            state="open",
        )


def _set_aside(pipeline: Pipeline, windows: Sequence[Seen]) -> Iterator[OpenItem]:
    """Files of the newest window with any that were not read."""
    for item in windows:
        aside = item.record("ingest").get("set_aside", ())
        if not aside:
            continue
        names = ", ".join(f"{file['feed']}/{file['uri'].rpartition('/')[2]}" for file in aside[:_MOST_FILES])
        more = f" and {count(len(aside) - _MOST_FILES)} more" if len(aside) > _MOST_FILES else ""
        yield OpenItem(
            "Set aside",
            f"{window(item.window)}: {names}{more} broke the declared contract: {aside[0]['why']}",
            None,
            "Their rows are missing. Have them landed again as declared, or see:",
            f"airloop quarantine list {pipeline.name}",
        )
        return
