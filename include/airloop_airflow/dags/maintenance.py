"""Keep a live pipeline's home small, once a week: small files put together, what was replaced removed.

What is kept for how long is in `retention:` of pipeline.yaml; `airloop maintain PIPELINE --dry-run` counts what a run
would do. Only pipelines whose coverage holds the present have it; the past of others does not grow.

The whole ledger is verified first; of one that does not verify nothing is removed.

**Triage.** `maintain` failed: a store did not answer; the next run does the rest, nothing is half done. A run that
misses a file lasted longer than `retention.replaced_files_days`: clear it. The ledger does not verify: see `airloop
ledger verify`.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import task

from airloop.config import Pipeline
from airloop_airflow import pipelines
from airloop_airflow.params import dag
from airloop_airflow.refused import Refused


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__maintenance`."""
    if isinstance(pipeline, Refused) or not pipeline.coverage.holds(datetime.now(UTC)):
        return

    @dag(schedule="@weekly", **pipelines.defaults(pipeline, "maintenance", doc=__doc__, params={}))
    def maintenance() -> None:
        @task
        def maintain() -> list[dict[str, Any]]:
            from dataclasses import asdict

            from airloop import settings
            from airloop.upkeep.maintain import maintain

            done = maintain(pipeline, settings.load_settings(), dry_run=False, say=print)
            return [asdict(item) for item in done]

        maintain()

    maintenance()
