"""Start data runs for the finished windows that hold landed files nobody ingested yet. The only listener to events.

The landing folder's listing rings when it has changed and is quiet again (or after a minute of unrest). The bell
carries nothing: `drain` works out from the landing folder and the stored ingest records what waits, so a burst or a
lost event loses no file. For a listing that no run has answered it rings again, after half a minute, then less often,
up to every five minutes: Airflow drops the event of an inbox that is paused. A run id is made of the window and its
files: what was started is not started twice.

Windows that wait at one bell and follow each other are one data run, up to the next look of monitoring; one that waits
alone is started alone, at once. What was started together stays so: at later bells the same run is asked for.

A window is finished when the newest landed local day of a feed that is written after its events (an outcome, or one
with a declared delay) reaches its end: a schedule that lands ahead starts nothing. Windows whose lookback reads a
changed window follow it. A static table alone starts nothing; the next data run reads it.

**Triage.** A run that finds nothing is a success that did nothing; one during a replay is skipped. A window that failed
is not started again until another file lands for it: clear its data run. A window that is not started: see `drain`'s
log.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Asset, AssetWatcher, task
from airflow.sdk.exceptions import AirflowSkipException

from airloop.config import Pipeline
from airloop_airflow import late_scoring, pipelines, windows
from airloop_airflow.bell import LandingTrigger
from airloop_airflow.params import dag
from airloop_airflow.refused import Refused
from airloop_airflow.stage import Json
from airloop_airflow.started_runs import start_each


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__inbox`."""
    watcher = AssetWatcher(name=f"{pipeline.name}__landing", trigger=LandingTrigger(pipeline.name))
    landing = Asset(f"{pipeline.name}__landing", uri=f"airloop://landing/{pipeline.name}", watchers=[watcher])

    # Of a refused pipeline nobody knows which files it waits for.
    schedule = None if isinstance(pipeline, Refused) else [landing]

    @dag(schedule=schedule, **pipelines.defaults(pipeline, "inbox", doc=__doc__, params={}))
    def inbox() -> None:
        @task
        def drain(**context: Any) -> Json:
            from airloop import settings
            from airloop.data import bell_answers, waiting_runs
            from airloop.stores import replay_hold

            pipelines.read_params(context)
            here = settings.load_settings()
            if replay_hold.is_held(here, pipeline.name):
                # Not answered: the bell rings again for what is left when the replay has ended.
                raise AirflowSkipException(f"a replay of {pipeline.name} takes its windows in the order of data time")
            # Listed first: what lands meanwhile is another listing, and the bell rings for it.
            _, listing = bell_answers.listing(pipeline, here)
            waiting = waiting_runs.waiting_runs(pipeline, here, now=datetime.now(UTC))
            bell_answers.answer(pipeline.name, listing, here)
            return [
                {
                    "trigger_run_id": run.run_id,
                    "conf": run.over.to_json() | windows.checks_conf(pipeline, run.over) | late_scoring.conf(pipeline),
                }
                for run in waiting
            ]

        start_each("start", pipeline, "data", drain())

    inbox()
