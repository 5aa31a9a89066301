"""Waiting without a worker: a task that is deferred until what a window needs is there, or until it is too late.

The trigger runs in the triggerer; meanwhile the task holds no slot, and runs of other windows go on. This file is
imported at every parse, so it imports nothing heavy.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airloop import settings
from airloop.config import Pipeline, load_pipeline
from airloop.config.calendar import period_end
from airloop.config.dag_ids import dag_of
from airloop.errors import AirloopError
from airloop.records import Window
from airloop_airflow import arrivals, stage, windows

logger = logging.getLogger(__name__)

FILES, FEATURES = "files", "features"
"""What a window may wait for: its landed files, or its built and validated features."""

_RUNS, _MOST_RUNS = 4, 64

# Scoring of a window waits for its data run, which has waited for the files and then has to work.
_WORK = timedelta(hours=1)


def waits(pipeline: Pipeline) -> bool:
    """Whether any feed of a pipeline says how late it may be."""
    return any(feed.lateness_hours for feed in pipeline.feeds.values())


class AwaitTrigger(BaseTrigger):
    """Fires once what a window waits for is there, or at `until` (ISO instant), whichever comes first."""

    def __init__(
        self, pipeline: str, window: dict[str, str], what: str, until: str, poll_seconds: float = 15.0
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pipeline, self.window, self.what, self.until = pipeline, window, what, until
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        names = ("pipeline", "window", "what", "until", "poll_seconds")
        return "airloop_airflow.waiting.AwaitTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look in a thread, because stores answer slowly and the triggerer has one event loop."""
        until = datetime.fromisoformat(self.until)
        while datetime.now(UTC) < until:
            try:
                if await asyncio.to_thread(self.is_there):
                    break
            except AirloopError as error:
                # A store that does not answer, or a declaration being edited, must not end the wait.
                logger.warning("%s waits for %s of %s: %s", self.pipeline, self.what, self.window, error)
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent({})  # type: ignore[no-untyped-call]

    def is_there(self) -> bool:
        """Whether the window has what it waits for."""
        here = settings.load_settings()
        pipeline = load_pipeline(self.pipeline, here)
        return lacks(pipeline, Window.from_json(self.window), self.what) is None


def lacks(pipeline: Pipeline, window: Window, what: str) -> datetime | None:
    """Until when a window waits for what it lacks; None when it lacks nothing."""
    from airloop.data import arrivals as landed

    here = settings.load_settings()
    if what == FILES:
        return max((item.until for item in landed.awaited(pipeline, window, here)), default=None)
    from airloop.features import validated

    if validated.until(pipeline, window, here) >= window.end:
        return None
    return window.end + landed.patience(pipeline) + _WORK


def is_awaited(pipeline: Pipeline, window: Window) -> bool:
    """Whether the calendar's scoring of a window may still be waiting for its features."""
    from airloop.data import arrivals as landed

    return datetime.now(UTC) < window.end + landed.patience(pipeline) + _WORK


class Await(BaseOperator):
    """The first task of a run of the calendar: what it waits for may be late, and then it waits without a worker.

    Too late, files are put on record as stalled and the run fails, once for a silence; features skip the run, whose
    data run has said why.

    Args:
        pipeline: Its name.
        group: The DAG's group.
        what: FILES or FEATURES.
    """

    def __init__(self, *, pipeline: str, group: str, what: str, **options: Any) -> None:
        # The wait is bounded by what the feeds declare.
        super().__init__(**{**options, "execution_timeout": None})
        self.pipeline, self.group, self.what = pipeline, group, what

    def execute(self, context: Any) -> None:
        """Go on, wait, or say that it is too late."""
        pipeline = load_pipeline(self.pipeline, settings.load_settings())
        window = arrivals.due_window(pipeline, context, self.group)
        until = lacks(pipeline, window, self.what) if arrivals.may_wait(context) else None
        if until is not None and datetime.now(UTC) < until:
            logger.info("%s %s: waits for its %s until %s", pipeline.name, window, self.what, until)
            self._wait(window, until)
        # The inbox has a reason to run: other files of the window did land.
        too_late = until is not None and arrivals.is_of_the_calendar(context)
        self._over(pipeline, windows.taken(pipeline, context, self.group), too_late=too_late)

    def looked(self, context: Any, event: Any = None) -> None:
        """What the trigger calls the task back for."""
        self.execute(context)

    def _wait(self, window: Window, until: datetime) -> NoReturn:
        trigger = AwaitTrigger(self.pipeline, window.to_json(), self.what, until.isoformat())
        self.defer(trigger=trigger, method_name="looked")

    def _over(self, pipeline: Pipeline, each: Sequence[Window], *, too_late: bool) -> None:
        window = each[-1]
        if self.what == FEATURES:
            if too_late:
                data = dag_of(pipeline.name, "data")
                raise AirflowSkipException(f"{pipeline.name} {window}: its features were not built in time; see {data}")
            return
        record = [stage.run("arrive", pipeline, item) for item in each][-1]
        if too_late and record["alarms"]:
            raise AirflowFailException(f"{pipeline.name} {window}: {record['alarms'][0]['says']}")
        if too_late:
            silent = ", ".join(record["stalled"])
            raise AirflowSkipException(
                f"{pipeline.name} {window}: the source of {silent} had stalled before this window; see its alarm"
            )


def waits_for(what: str, pipeline: Pipeline, group: str, *, before: Any) -> None:
    """Put a task that waits before the first task of a DAG, where the pipeline says how late its files may be."""
    if waits(pipeline):
        Await(task_id="arrive", pipeline=pipeline.name, group=group, what=what, max_active_tis_per_dag=None) >> before


def side_by_side(pipeline: Pipeline, arguments: dict[str, Any], group: str) -> dict[str, Any]:
    """Arguments of `@dag` under which a run that waits stands in nobody's way.

    As many runs as can wait at once, and some that work; tasks of a kind still follow each other, as if there were one
    run at a time: they write the same tables.
    """
    if not waits(pipeline):
        return arguments
    start = pipeline.coverage.start
    period = period_end(pipeline.calendar_of(group), start) - start
    longest = timedelta(hours=max(feed.lateness_hours or 0 for feed in pipeline.feeds.values()))
    one_by_one = arguments["default_args"] | {"max_active_tis_per_dag": 1}
    runs = min(_RUNS + int(longest / period), _MOST_RUNS)
    return arguments | {"max_active_runs": runs, "default_args": one_by_one}
