"""Score one window with the champion that was in force at its start; predictions are appended, never replaced.

On the calendar it starts together with the window's data run: until that has built the features the stage says so
(UpstreamUnavailable) and Airflow tries again after 5, 10, 20 ... seconds, 21 minutes in all. A window scored twice
adds nothing. A backfill scores like the calendar: with the champion of the window's time, as the ledger has it.

`collect_log` moves what the prediction service of this machine has answered into the lake, and compares the features it
looked up with the offline ones; nothing waits for it.

**Triage.** No row and version 0 is a success: no champion was in force at the window's start. A model whose cutoff
lies after the window's start is refused: mode `backtest` allows it, and keeps its rows out of all live metrics. A
changed feature fingerprint is refused: train again. Retries used up: the data run of this window did not finish.
Skipped: landed data has not reached the window, or its files came too late for `lateness_hours`: run it by hand.
"""

from typing import Any

from airflow.sdk import task

from airloop.config import Pipeline
from airloop_airflow import arrivals, outcomes, pipelines, stage, waiting, windows
from airloop_airflow.params import Param, dag
from airloop_airflow.stage import Json


def _params() -> dict[str, Param]:
    says = "`live` (default), or `backtest`: also with a model trained later; its rows never enter live metrics."
    return windows.window_params() | {"mode": Param("live", says, type="string", enum=["live", "backtest"])}


def build(pipeline: Pipeline) -> None:
    """The DAG `<pipeline>__scoring`."""
    arguments = pipelines.defaults(pipeline, "scoring", doc=__doc__, params=_params(), retries=outcomes.WAITING_RETRIES)

    @dag(schedule=pipelines.calendar(pipeline, "scoring"), **waiting.side_by_side(pipeline, arguments, "scoring"))
    def scoring() -> None:
        @task
        def score(**context: Any) -> Json:
            window = arrivals.due_window(pipeline, context, "scoring")
            return stage.run("score", pipeline, window, mode=context["params"]["mode"])

        @task
        def collect_log() -> Json:
            from airloop import settings
            from airloop.serving import collect, review, skew

            loaded = settings.load_settings()
            collected = collect.collect(pipeline, loaded)
            skew.check(pipeline, collected.days, loaded)
            if pipeline.review is not None:
                review.ask_and_land(pipeline, loaded)
            return collected.to_json()

        waiting.waits_for(waiting.FEATURES, pipeline, "scoring", before=score())
        collect_log()

    scoring()
