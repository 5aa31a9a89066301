"""Bring one window of data in: what landed becomes raw, clean and feature rows, and the online store follows.

Runs at the end of each period, when the inbox hears that files of a finished window landed, by hand and in backfills.
The same input twice changes nothing. A pipeline with feeds from SQL begins with `extract`: what changed in their
databases during the window lands as files; rows of earlier windows ring the inbox like any file that comes late.

A calendar run that landed data has not reached yet is skipped. Where a feed says how late its files may be
(`lateness_hours`), `arrive` waits for them without a worker; then the run fails once, with an alarm, and the inbox
starts the window when its files land after all, and `score_late` starts the scoring that was skipped meanwhile.

**Triage.** `arrive` failed: a source has stalled, see `airloop alarms list`. `extract` failed: the log names the
feed, its connection and what the database says; nothing of the window has landed. `ingest` failed: a file breaks its
declared contract (the log names file and column) or nothing landed: have it landed again, the inbox starts a new run.
`validate_raw` or `validate_features` failed: open the run's tab Reports; nothing was published downstream.
`materialize` failed: the online store did not answer or holds another value than the lake: clear the task. `profile`
failed: only the page for exploration is missing: clear the task.
"""

from typing import Any

from airflow.sdk import task

from airloop.config import Pipeline
from airloop_airflow import arrivals, late_scoring, pipelines, stage, waiting, windows
from airloop_airflow.params import Param, dag
from airloop_airflow.stage import Json


def _params(pipeline: Pipeline) -> dict[str, Param]:
    says = "`landed` (default), or `withheld`: without outcome files, as `airloop replay` asks before it scores."
    outcomes = {"outcomes": Param("landed", says, type="string", enum=["landed", "withheld"])}
    return windows.window_params() | outcomes | late_scoring.params(pipeline)


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__data`."""
    arguments = pipelines.defaults(pipeline, "data", doc=__doc__, params=_params(pipeline))
    sources = [feed.source for feed in pipeline.feeds.values() if feed.source and feed.fetched]
    connections = sorted({source.connection for source in sources if source.connection})

    @dag(schedule=pipelines.calendar(pipeline, "data"), **waiting.side_by_side(pipeline, arguments, "data"))
    def data() -> None:
        @task
        def extract(**context: Any) -> Json:
            return stage.run("extract", pipeline, windows.window(pipeline, context), connections=connections)

        @task
        def ingest(**context: Any) -> Json:
            # Only when asked: an option is part of the input key, and by hand nobody gives it.
            options: dict[str, Any] = {"outcomes": "withheld"} if context["params"]["outcomes"] == "withheld" else {}
            return stage.run("ingest", pipeline, arrivals.due_window(pipeline, context, "data"), **options)

        @task
        def validate_raw(ingested: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context)
            return stage.run("validate_raw", pipeline, window, upstream={"ingest": ingested})

        @task
        def build_features(validated: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context)
            return stage.run("build_features", pipeline, window, upstream={"validate_raw": validated})

        @task
        def validate_features(built: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context)
            return stage.run("validate_features", pipeline, window, upstream={"build_features": built})

        @task
        def profile(raw: Json, features: Json, **context: Any) -> Json:
            upstream = {"validate_raw": raw, "validate_features": features}
            return stage.run("profile", pipeline, windows.window(pipeline, context), upstream=upstream)

        @task
        def materialize(validated: Json, **context: Any) -> Json:
            window = windows.window(pipeline, context)
            return stage.run("materialize", pipeline, window, upstream={"validate_features": validated})

        ingested = ingest()
        if sources:
            extract() >> ingested
        waiting.waits_for(waiting.FILES, pipeline, "data", before=ingested)
        raw = validate_raw(ingested)
        features = validate_features(build_features(raw))
        late_scoring.after(pipeline, materialize(features))
        profile(raw, features)

    data()
