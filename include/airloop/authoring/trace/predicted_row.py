"""The prediction that is asked about, as it was written."""

from datetime import datetime
from typing import Any

import pyarrow.dataset as ds

from airloop.config import Pipeline
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.models import prediction_tables
from airloop.records.person_texts import is_unicode
from airloop.settings import Settings
from airloop.stores import lake

_SHOWN = 3


def find(pipeline: Pipeline, key: str, settings: Settings, *, at: datetime | None) -> tuple[dict[str, Any], int]:
    """The newest prediction for an entity decided by `at` (None: of all), and how many others there are of it.

    A live prediction comes before one of a backtest.

    Raises:
        DataContractError: There is none; the message names keys that there are.
        UpstreamUnavailable: Nothing has been predicted yet.
    """
    if not is_unicode(key):
        raise DataContractError(f"{pipeline.name}: the key {key!r} is not Unicode text: nothing has it")
    uri, column = lake.table_uri(settings, pipeline.name, "predictions", "predictions"), pipeline.prediction.entity_key
    if prediction_tables.opened(uri, pipeline, settings) is None:
        raise UpstreamUnavailable(
            f"{pipeline.name}: nothing has been predicted yet: `airloop run score {pipeline.name}`"
        )
    rows = lake.read(uri, settings, where=ds.field(column) == key).to_pylist()
    known = [row for row in rows if at is None or row["decision_time"] <= at]
    if not known:
        raise DataContractError(f"{pipeline.name}: {_nothing(uri, column, key, settings, rows=rows, at=at)}")
    order = sorted(known, key=lambda row: (row["mode"] == "live", row["decision_time"], row["model_version"]))
    return order[-1], len(rows) - 1


def _nothing(
    uri: str, column: str, key: str, settings: Settings, *, rows: list[dict[str, Any]], at: datetime | None
) -> str:
    if rows:
        first = min(row["decision_time"] for row in rows)
        return f"the first prediction of {column} {key!r} was decided at {first:%Y-%m-%dT%H:%MZ}, after --at {at}"
    some = sorted(set(lake.read(uri, settings, columns=[column])[column].slice(0, 100).to_pylist()))[:_SHOWN]
    return f"nothing was predicted for {column} {key!r} (there are for example {', '.join(map(repr, some))})"
