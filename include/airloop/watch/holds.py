"""What alarms hold: whether triage may act on a window, and whether an earlier one counts."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from airloop.config import Pipeline
from airloop.records import Alarm, Monitored, Window
from airloop.settings import Settings
from airloop.stores import alarms
from airloop.stores.alarms import RaisedAlarm

_ANSWER = "answer it by `airloop alarms answer`"


def not_accepted(
    pipeline: Pipeline, records: Sequence[Monitored], settings: Settings
) -> dict[Window, tuple[RaisedAlarm, ...]]:
    """Window -> the alarms nobody accepted: of monitoring it, of the rows it judged, of what landed until its end.

    Those of windows that monitoring left out, because a person had excluded them, are settled.
    """
    spans = {record.window: Window(record.rows_window.start, record.window.end) for record in records}
    whole = Window(min(span.start for span in spans.values()), max(span.end for span in spans.values()))
    about_rows = alarms.raised(pipeline, settings, span=whole, stages=alarms.ROW_STAGES)
    raised = [item for item in about_rows if item.answer != alarms.ACCEPTED]
    left_out = {record.window: set(record.excluded) for record in records}
    return {
        window: tuple(
            item for item in raised if _is_about(item, window, span) and not _is_settled(item, left_out[window])
        )
        for window, span in spans.items()
    }


def _is_settled(item: RaisedAlarm, left_out: Collection[Window]) -> bool:
    return item.answer == alarms.EXCLUDED and item.window in left_out


def _is_about(item: RaisedAlarm, window: Window, span: Window) -> bool:
    if item.stage == "monitor":
        return item.window == window
    return item.window.start < span.end and item.window.end > span.start


def is_about_data(item: RaisedAlarm) -> bool:
    """Whether an alarm says that the rows of a window may be wrong, and not only the champion's figures."""
    return item.stage != "monitor" or item.alarm.holds_training


def as_noticed(raised: Sequence[RaisedAlarm]) -> tuple[Alarm, ...]:
    """The alarms as a monitor record has them: those about the data hold trainings, whichever stage raised them."""
    return tuple(replace(item.alarm, holds_training=is_about_data(item)) for item in raised)


def why_held(open_alarms: Sequence[RaisedAlarm], before: Sequence[Monitored], *, gains: bool) -> str:
    """Why the open alarms of a window hold triage; empty when they do not.

    Args:
        before: The window before, or nothing.
        gains: Whether this window shows a sure gain.
    """
    if not open_alarms:
        return ""
    first = next((item for item in open_alarms if is_about_data(item)), open_alarms[0])
    more = f" (and {len(open_alarms) - 1} more)" if len(open_alarms) > 1 else ""
    why = f"held by alarm {first.id} ({first.alarm.kind} of {first.alarm.subject}){more}"
    if is_about_data(first):
        return f"{why}: mend the files, or {_ANSWER}"
    if not any(_is_of_figures(record) for record in before):
        return f"{why}: the next window decides, or {_ANSWER}"
    if gains:
        return ""
    return f"{why}, in the window before too, and the probe shows no sure gain: a training would not mend it; {_ANSWER}"


def _is_of_figures(record: Monitored) -> bool:
    """Whether a record has alarms, and all of them are about the champion's own figures."""
    return bool(record.alarms) and not any(alarm.holds_training for alarm in record.alarms)


def counts(record: Monitored, *, newest_alarms: Sequence[RaisedAlarm]) -> bool:
    """Whether what an earlier window shows is worth anything: nothing was wrong with it, or what was wrong lasts."""
    return not record.alarms or (bool(newest_alarms) and _is_of_figures(record))
