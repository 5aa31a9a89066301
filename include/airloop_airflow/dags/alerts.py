"""Tell what only the clock can know of a live pipeline: a source that delivers nothing, a DAG paused while it is due.

What runs and decisions call for is told when a run ends; this looks once an hour, and says again what lasts, once a
day. Only pipelines whose coverage holds the present have it.

**Triage.** `look` failed: the state database or a receiver did not answer; the next hour looks again. Who is told is in
`alerts:` of pipeline.yaml, where is in Airflow's connections; what was told stands on the page Pipelines.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from airloop.config import Pipeline
from airloop_airflow import pipelines
from airloop_airflow.params import dag
from airloop_airflow.refused import Refused


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__alerts`."""
    if isinstance(pipeline, Refused) or not pipeline.coverage.holds(datetime.now(UTC)):
        return

    @dag(schedule="@hourly", **pipelines.defaults(pipeline, "alerts", doc=__doc__, params={}))
    def alerts() -> None:
        @task
        def look(**context: Any) -> None:
            from airloop import settings
            from airloop.watch import alerts
            from airloop_airflow.alert_routes import sender

            here, now, ti = settings.load_settings(), datetime.now(UTC), context["ti"]
            noticed = alerts.of_calendar(pipeline, here, now=now, is_paused=lambda dag_id: ti.get_dag(dag_id).is_paused)
            alerts.tell(
                pipeline,
                here,
                now=now,
                send=sender(pipeline),
                noticed=tuple(noticed),
                over=lambda alert: alert.kind in alerts.DUE_KINDS,
            )

        look()

    alerts()
