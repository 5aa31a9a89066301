"""Bring one window of data in: what landed becomes raw, clean and feature rows, and the online store follows.

Runs at the end of each period, when the inbox hears that files of a finished window landed, by hand and in backfills.
The same input twice changes nothing. A pipeline with feeds from SQL begins with `extract`: what changed in their
databases during the window lands as files; rows of earlier windows ring the inbox like any file that comes late.

A calendar run that landed data has not reached yet is skipped. Where a feed says how late its files may be
(`lateness_hours`), `arrive` waits for them without a worker; then the run fails once, with an alarm, and the inbox
starts the window when its files land after all, and `score_late` starts the scoring that was skipped meanwhile.

Windows that the inbox has joined are one run: each is read and checked by itself, and the features of all are computed
at once. One that is refused (its task's log says why) is left to a run of its own, which `alone` starts and which fails
as it does where the window came alone; the others go on.

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
from airloop.config.source import Source
from airloop_airflow import arrivals, joined_windows, late_scoring, pipelines, waiting, windows
from airloop_airflow.params import Param, dag
from airloop_airflow.stage import Json


def _params(pipeline: Pipeline) -> dict[str, Param]:
    says = "`landed` (default), or `withheld`: without outcome files, as `airloop replay` asks before it scores."
    outcomes = {"outcomes": Param("landed", says, type="string", enum=["landed", "withheld"])}
    return windows.window_params() | outcomes | windows.checks_params(pipeline) | late_scoring.params(pipeline)


def _extract(pipeline: Pipeline, sources: list[Source]) -> Any:
    connections = sorted({source.connection for source in sources if source.connection})

    @task
    def extract(**context: Any) -> Json:
        over = windows.window(pipeline, context)
        return joined_windows.begin("extract", pipeline, context, over, connections=connections)

    return extract()


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__data`."""
    arguments = pipelines.defaults(pipeline, "data", doc=__doc__, params=_params(pipeline))
    sources = [feed.source for feed in pipeline.feeds.values() if feed.source and feed.fetched]

    @dag(schedule=pipelines.calendar(pipeline, "data"), **waiting.side_by_side(pipeline, arguments, "data"))
    def data() -> None:
        @task
        def ingest(**context: Any) -> Json:
            # Only when asked: an option is part of the input key, and by hand nobody gives it.
            options: dict[str, Any] = {"outcomes": "withheld"} if context["params"]["outcomes"] == "withheld" else {}
            over = arrivals.due_window(pipeline, context, "data")
            return joined_windows.begin("ingest", pipeline, context, over, **options)

        @task
        def validate_raw(ingested: Json) -> Json:
            return joined_windows.go_on("validate_raw", pipeline, ingest=ingested)

        @task
        def build_features(validated: Json) -> Json:
            return joined_windows.build(pipeline, validated)

        @task
        def validate_features(built: Json) -> Json:
            return joined_windows.go_on("validate_features", pipeline, build_features=built)

        @task
        def profile(raw: Json, features: Json) -> Json:
            return joined_windows.go_on("profile", pipeline, validate_raw=raw, validate_features=features)

        @task
        def materialize(validated: Json, **context: Any) -> Json:
            return joined_windows.materialize(pipeline, context, validated)

        ingested = ingest()
        if sources:
            _extract(pipeline, sources) >> ingested
        waiting.waits_for(waiting.FILES, pipeline, "data", before=ingested)
        raw = validate_raw(ingested)
        features = validate_features(build_features(raw))
        materialized = materialize(features)
        joined_windows.start_left(pipeline, materialized)
        late_scoring.after(pipeline, materialized)
        profile(raw, features)

    data()
