"""Bring one window of data in: what landed becomes raw, clean and feature rows, and the online store follows.

Runs at the end of each period, when the inbox hears that files of a finished window landed, by hand and in backfills.
The same input twice changes nothing. A pipeline with feeds from SQL begins with `extract`: what changed in their
databases during the window lands as files; rows of earlier windows ring the inbox like any file that comes late.

**Triage.** `extract` failed: the log names the feed, its connection and what the database says; nothing of the window
has landed. `ingest` failed: a file breaks its declared contract (the log names file and column) or nothing landed: have
it landed again, the inbox starts a new run. `validate_raw` or `validate_features` failed: open the run's tab Reports;
nothing was published downstream. `materialize` failed: the online store did not answer or holds another value than the
lake: clear the task. `profile` failed: only the page for exploration is missing: clear the task.
"""

from typing import Any

from airflow.sdk import dag, task

import dag_kit
import stage_kit
import window_kit
from airloop.config import Pipeline
from stage_kit import Json


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__data`."""
    arguments = dag_kit.defaults(pipeline, "data", doc=__doc__, params=window_kit.window_params())
    connections = sorted({feed.source.connection for feed in pipeline.feeds.values() if feed.source})

    @dag(schedule=dag_kit.calendar(pipeline), **arguments)
    def data() -> None:
        @task
        def extract(**context: Any) -> Json:
            return stage_kit.run("extract", pipeline, window_kit.window(pipeline, context), connections=connections)

        @task
        def ingest(**context: Any) -> Json:
            return stage_kit.run("ingest", pipeline, window_kit.window(pipeline, context))

        @task
        def validate_raw(ingested: Json, **context: Any) -> Json:
            window = window_kit.window(pipeline, context)
            return stage_kit.run("validate_raw", pipeline, window, upstream={"ingest": ingested})

        @task
        def build_features(validated: Json, **context: Any) -> Json:
            window = window_kit.window(pipeline, context)
            return stage_kit.run("build_features", pipeline, window, upstream={"validate_raw": validated})

        @task
        def validate_features(built: Json, **context: Any) -> Json:
            window = window_kit.window(pipeline, context)
            return stage_kit.run("validate_features", pipeline, window, upstream={"build_features": built})

        @task
        def profile(raw: Json, features: Json, **context: Any) -> Json:
            upstream = {"validate_raw": raw, "validate_features": features}
            return stage_kit.run("profile", pipeline, window_kit.window(pipeline, context), upstream=upstream)

        @task
        def materialize(validated: Json, **context: Any) -> Json:
            window = window_kit.window(pipeline, context)
            return stage_kit.run("materialize", pipeline, window, upstream={"validate_features": validated})

        ingested = ingest()
        if connections:
            extract() >> ingested
        raw = validate_raw(ingested)
        features = validate_features(build_features(raw))
        materialize(features)
        profile(raw, features)

    data()


dag_kit.build_each(build)
