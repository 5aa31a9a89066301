"""Tables of predictions, opened only where they are of the problem that is declared now."""

from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline
from airloop.errors import ConfigError
from airloop.problems import PREDICTION, task_of
from airloop.settings import Settings
from airloop.stores import lake

if TYPE_CHECKING:
    from deltalake import DeltaTable


def opened(uri: str, pipeline: Pipeline, settings: Settings, *, column: str = PREDICTION) -> "DeltaTable | None":
    """A table with predictions in a column; None where nothing was written yet.

    Raises:
        ConfigError: It was written under another entity key or another task: its rows and those of the declaration of
            now have no common column. Names both, and the way out.
        UpstreamUnavailable: The lake does not answer.
    """
    table = lake.open_table(uri, settings)
    if table is None:
        return None
    schema, key, expected = table.schema().to_pyarrow(), pipeline.prediction.entity_key, task_of(pipeline).column_type
    written = schema.field(column).type if column in schema.names else None
    wrong = ""
    if key not in schema.names:
        wrong = f"has no column {key!r}, the entity_key of now (it has {', '.join(schema.names)})"
    elif written is not None and _plain(written) != _plain(expected):
        wrong = f"holds {written} as {column}, and the task {pipeline.prediction.task} of now writes {expected}"
    if wrong:
        raise ConfigError(
            f"{pipeline.name}/pipeline.yaml: prediction: {uri} {wrong}: restore the declaration that its rows were "
            "made by, or give the changed problem a pipeline of its own name"
        )
    return table


def _plain(kind: Any) -> tuple[str, ...]:
    """A type without the names that Arrow and Delta give a list's elements."""
    return ("list", str(kind.value_type)) if hasattr(kind, "value_type") else (str(kind),)
