"""Any table as a feed of inputs and one of outcomes: windows held against each other, the last with a fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl
from tests.support.flight_months import flights

from airloop.config import Pipeline
from airloop.config.calendar import Calendar, calendar_windows
from airloop.data.feed_history.looked import Looked
from airloop.data.feed_history.notice import notice, sketch_window
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.store import MOST_WINDOWS, PastWindow
from airloop.records import Alarm, Window

Rows = dict[str, pl.DataFrame]
Sketches = dict[str, Sketch]
Change = Callable[[pl.DataFrame], pl.DataFrame]
INPUTS, OUTCOMES = "events", "outcomes"
_TYPES = {pl.String: "string", pl.Boolean: "boolean", pl.Int64: "integer", pl.Float64: "float"}


@dataclass(frozen=True)
class WatchedTable:
    """A row per thing to predict.

    Attributes:
        frame: Its rows; instants are UTC.
        label: The column that lands as the outcome.
        last: How many windows of the calendar a fault lies in; all whole ones before them are the past.
        task: What the label is.
    """

    frame: pl.DataFrame
    key: str
    time: str
    label: str
    calendar: Calendar
    last: int = 1
    task: str = "binary"

    @cached_property
    def pipeline(self) -> Pipeline:
        """The flights' declaration with these feeds; all but feeds, calendar and key is of no account."""
        known = flights().model_dump()
        kinds = {
            name: _TYPES.get(type(kind), "timestamp")
            for name, kind in zip(self.frame.columns, self.frame.dtypes, strict=True)
        }
        named = {"files": "{day}.csv", "key": [self.key], "event_time": self.time}
        inputs = {name: kind for name, kind in kinds.items() if name != self.label}
        outcomes = {name: kinds[name] for name in (self.key, self.time, self.label)}
        known["feeds"] = {
            INPUTS: {**named, "columns": inputs},
            OUTCOMES: {**named, "columns": outcomes, "outcome": True},
        }
        known["prediction"]["entity_key"] = self.key
        known["coverage"] = {"start": self.frame[self.time].min(), "end": None}
        pipeline = Pipeline.model_validate(known)
        return pipeline.model_copy(update={"prediction": pipeline.prediction.model_copy(update={"task": self.task})})

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The whole periods of the table."""
        first, last = self.frame[self.time].min(), self.frame[self.time].max()
        return tuple(calendar_windows(self.calendar, Window(first, last))[1:-1])  # type: ignore[arg-type]

    @cached_property
    def sketched(self) -> dict[Window, Sketches]:
        """Every window as it is."""
        return {window: self._sketch(window, self.rows(window)) for window in self.windows}

    @cached_property
    def before(self) -> dict[str, list[PastWindow]]:
        """The windows before the last ones, as sketches."""
        past: dict[str, list[PastWindow]] = {}
        for window in self.windows[: -self.last]:
            _keep(past, window, self.sketched[window])
        return past

    def rows(self, window: Window) -> Rows:
        """What lands for a window."""
        inside = self.frame.filter(pl.col(self.time).is_between(window.start, window.end, closed="left"))
        return {name: inside.select(list(feed.columns)) for name, feed in self.pipeline.feeds.items()}

    def alarms(self, change: Change, feeds: Sequence[str] = (INPUTS, OUTCOMES)) -> set[tuple[str, str]]:
        """(kind, subject) of what is said to the last windows with a fault in some feeds.

        Args:
            change: Is given the rows of a feed, and leaves columns alone that it lacks.
        """
        past = {name: list(items) for name, items in self.before.items()}
        answers: dict[tuple[Window, str], str] = {}
        kinds = set()
        for window in self.windows[-self.last :]:
            rows = {name: change(frame) if name in feeds else frame for name, frame in self.rows(window).items()}
            for alarm in self._look(window, self._sketch(window, rows), past, answers):
                kinds.add((alarm.kind, alarm.subject))
        return kinds

    def false_alarms(self) -> list[tuple[str, str, str]]:
        """(window, kind, subject) of all that is said where nothing was planted; each is accepted."""
        past: dict[str, list[PastWindow]] = {}
        answers: dict[tuple[Window, str], str] = {}
        lines = []
        for window in self.windows:
            alarms = self._look(window, self.sketched[window], past, answers, answer="accepted")
            lines += [(str(window), alarm.kind, alarm.subject) for alarm in alarms]
        return lines

    def _sketch(self, window: Window, rows: Rows) -> Sketches:
        return sketch_window(self.pipeline, {name: frame for name, frame in rows.items() if frame.height}, window)

    def _look(
        self,
        window: Window,
        sketches: Sketches,
        past: dict[str, list[PastWindow]],
        answers: dict[tuple[Window, str], str],
        answer: str = "",
    ) -> tuple[Alarm, ...]:
        noticed = notice(Looked(self.pipeline, window, sketches, past, answers))
        answers |= {(window, subject): answer for alarm in noticed for subject in alarm.subject.split(", ")}
        _keep(past, window, sketches)
        return noticed


def _keep(past: dict[str, list[PastWindow]], window: Window, sketches: Sketches) -> None:
    for name, sketch in sketches.items():
        past[name] = [*past.get(name, []), PastWindow(window, sketch)][-MOST_WINDOWS:]


def written(**columns: pl.Expr) -> Change:
    """Replace columns, where a feed has them."""
    return lambda rows: rows.with_columns(**{name: value for name, value in columns.items() if name in rows.columns})
