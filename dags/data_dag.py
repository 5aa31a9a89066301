"""Bring one window of data in: what landed becomes raw, clean and feature rows, and the online store follows.

Runs at the end of each period, when the inbox hears that files of a finished window landed, by hand and in backfills.
The same input twice changes nothing.

**Triage.** `ingest` failed: a file breaks its declared contract (the log names file and column) or nothing landed:
have it landed again, the inbox starts a new run. `validate_raw` or `validate_features` failed: open the validation
page the log names; nothing was published downstream. `materialize` failed: the online store did not answer or holds
another value than the lake: clear the task.
"""

from typing import Any

from airflow.sdk import dag, task

import dag_kit
from airloop.config import Pipeline
from dag_kit import Json


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__data`."""
    arguments = dag_kit.defaults(pipeline, "data", doc=__doc__, params=dag_kit.window_params())

    @dag(schedule=dag_kit.calendar(pipeline), **arguments)
    def data() -> None:
        @task
        def ingest(**context: Any) -> Json:
            return dag_kit.run("ingest", pipeline, dag_kit.window(pipeline, context))

        @task
        def validate_raw(ingested: Json, **context: Any) -> Json:
            window = dag_kit.window(pipeline, context)
            return dag_kit.run("validate_raw", pipeline, window, upstream={"ingest": ingested})

        @task
        def build_features(validated: Json, **context: Any) -> Json:
            window = dag_kit.window(pipeline, context)
            return dag_kit.run("build_features", pipeline, window, upstream={"validate_raw": validated})

        @task
        def validate_features(built: Json, **context: Any) -> Json:
            window = dag_kit.window(pipeline, context)
            return dag_kit.run("validate_features", pipeline, window, upstream={"build_features": built})

        @task
        def materialize(validated: Json, **context: Any) -> Json:
            window = dag_kit.window(pipeline, context)
            return dag_kit.run("materialize", pipeline, window, upstream={"validate_features": validated})

        materialize(validate_features(build_features(validate_raw(ingest()))))

    data()


for declared in dag_kit.pipelines():
    build(declared)
