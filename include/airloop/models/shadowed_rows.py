"""Rows that champion and challenger both predicted online: the table that the prediction log's collection writes."""

import pyarrow as pa

from airloop.config import Pipeline
from airloop.problems import task_of
from airloop.settings import Settings
from airloop.stores import lake

CHAMPION_COLUMN, CHALLENGER_COLUMN = "champion_prediction", "challenger_prediction"


def shadow_uri(pipeline: Pipeline, settings: Settings) -> str:
    """The table of rows that two versions predicted; live metrics read another one (`predictions`).

    Columns: prediction_id, answered_at (UTC us), the entity key (null where none was sent), decision_time (the row's
    as_of), champion_version, champion_prediction, challenger_version, challenger_decision (of the ledger),
    challenger_prediction, returned (`champion`, or `canary`: the challenger's). Unique by prediction_id.
    """
    return lake.table_uri(settings, pipeline.name, "predictions", "shadow")


def schema(pipeline: Pipeline) -> pa.Schema:
    """The columns of `shadow_uri`, in their order."""
    value = task_of(pipeline).column_type
    return pa.schema(
        [
            ("prediction_id", pa.string()),
            ("answered_at", lake.INSTANT),
            (pipeline.prediction.entity_key, pa.string()),
            ("decision_time", lake.INSTANT),
            ("champion_version", pa.int64()),
            (CHAMPION_COLUMN, value),
            ("challenger_version", pa.int64()),
            ("challenger_decision", pa.int64()),
            (CHALLENGER_COLUMN, value),
            ("returned", pa.string()),
        ]
    )
