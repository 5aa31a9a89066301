"""Check, by what has landed, that looks of monitoring and the gate can ever have days and rows enough."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from airloop.authoring import rhythm_check
from airloop.config import Pipeline
from airloop.config.calendar import is_period
from airloop.data import inbox
from airloop.errors import AirloopError
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import landed_files, state
from airloop.stores.landed_files import ListedFile

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_NEWEST_WINDOWS = 400
_NEARLY_ALWAYS = 0.9

_AHEAD = (
    "a day that has not begun, of a feed that is written after its events: nothing reads it before that day; is its "
    "name right?"
)
_BEYOND = (
    "of days after coverage.end of pipeline.yaml, so that no window reads them: write a later end, or none where data "
    "go on"
)


def looks(pipeline: Pipeline, settings: Settings) -> list[str]:
    """What is worth a look, a line each; nothing before files have landed for as long as a comparison takes.

    Days count as the names of the outcome feeds' files say them; rows as `build_features` has recorded them. A landing
    folder or a state database that does not answer says nothing.
    """
    try:
        files = landed_files.list_files(pipeline, settings)
        days = _days_of_outcomes(pipeline, files)
        few = [*_too_few_days(pipeline, days), *_too_few_rows(pipeline, settings)] if days else []
    except AirloopError:
        return []
    ahead, beyond = inbox.ahead(pipeline, files), inbox.beyond(pipeline, files)
    return [*_unread(ahead, _AHEAD), *_unread(beyond, _BEYOND), *few]


def _unread(files: Sequence[ListedFile], why: str) -> list[str]:
    if not files:
        return []
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return [f"landing: look: {files[0].feed}/{files[0].name}{more}: {why}"]


def _days_of_outcomes(pipeline: Pipeline, files: Sequence[ListedFile]) -> list[date]:
    """The different days of which a file of an outcome feed has landed, ascending."""
    outcomes = set(pipeline.outcome_feeds)
    named = (landed_files.file_span(pipeline.feeds[file.feed], file.name) for file in files if file.feed in outcomes)
    return sorted({span.start.date() for span in named if span is not None and landed_files.has_come(span)})


def _too_few_days(pipeline: Pipeline, days: Sequence[date]) -> list[str]:
    compare, policy = pipeline.gate.compare, pipeline.monitoring.policy
    needs = (
        ("monitoring.over_days", rhythm_check.days_of_a_look(pipeline), "monitoring.policy", policy.min_blocks),
        ("training.holdout_days", pipeline.training.holdout_days, "gate.compare", compare.min_blocks),
    )
    lines = []
    for key, length, place, needed in needs:
        most = _most_within(days, length)
        if length >= needed > most and (days[-1] - days[0]).days >= length:
            enough = _length_for(days, needed)
            way = f"write {enough} or more" if enough else "bring rows of more days"
            lines.append(
                f"pipeline.yaml: look: {key} {length}: outcomes have landed for {most} days of any {length} at most, "
                f"and {place}.min_blocks asks for {needed}: there would never be enough data; {way}"
            )
    return lines


def _most_within(days: Sequence[date], length: int) -> int:
    """The most of these days in any stretch of so many days."""
    first, most = 0, 0
    for position, day in enumerate(days):
        while (day - days[first]).days >= length:
            first += 1
        most = max(most, position - first + 1)
    return most


def _length_for(days: Sequence[date], needed: int) -> int | None:
    """Days that nearly every stretch with so many of these days fits into; None when there are fewer of them."""
    spans = sorted((days[at + needed - 1] - days[at]).days for at in range(len(days) - needed + 1))
    return spans[min(int(_NEARLY_ALWAYS * len(spans)), len(spans) - 1)] + 2 if spans else None


def _too_few_rows(pipeline: Pipeline, settings: Settings) -> list[str]:
    """What a look judges on average, where windows of the calendar have been built for as long as a look is."""
    if not state.exists(settings):
        return []
    stored = state.records_before(settings, pipeline.name, "build_features", end=_END_OF_TIME, limit=_NEWEST_WINDOWS)
    rows: dict[Window, int] = {}
    for record in stored:
        window, examples = Window.from_json(record["window"]), record.get("examples")
        if examples is not None and is_period(pipeline.calendar, window):
            rows.setdefault(window, examples)
    length, needed = rhythm_check.days_of_a_look(pipeline), pipeline.monitoring.policy.min_rows
    built = sum((window.end - window.start for window in rows), timedelta())
    if built < timedelta(days=length):
        return []
    judged = round(sum(rows.values()) * (timedelta(days=length) / built))
    if judged >= needed:
        return []
    return [
        f"pipeline.yaml: look: monitoring.policy.min_rows {needed}: the windows built so far have {judged:,} rows in "
        f"{length} days on average: there would hardly ever be enough data; write a longer monitoring.over_days, or "
        "fewer rows"
    ]
