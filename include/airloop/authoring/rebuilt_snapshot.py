"""A version's training set made again from the lake, at the versions its tables had then, and held against the frozen.

The frozen file says what a version learned from; only the lake says where that came from. Delta keeps a version as long
as `retention.replaced_files_days` keeps its files, and one that a snapshot names `retention.reproduction_days` long.
Where it is gone the newest version is read, which holds the same rows unless some were corrected.
"""

from dataclasses import dataclass

import fsspec
import pandas as pd

from airloop.config import Pipeline
from airloop.deployment import Deployment
from airloop.errors import AirloopError, DataContractError
from airloop.files.delta_versions import held
from airloop.models.training_rows import training_rows
from airloop.models.training_set import read_snapshot
from airloop.records import Snapshot
from airloop.settings import Settings
from airloop.stores import lake


@dataclass(frozen=True)
class Rebuilt:
    """What the lake gave the second time.

    Attributes:
        rows: Of the frozen training set.
        tables: How many tables were read; `newest` those whose version of then is gone, as `layer/table`.
        problem: Why it is not the same, or cannot be made; empty when every bit is.
    """

    rows: int
    tables: int
    newest: tuple[str, ...]
    problem: str = ""


def rebuild(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> Rebuilt:
    """Make the training set of a snapshot's cutoff again from the lake; nothing is written.

    Raises:
        DataContractError: The frozen file is not what the record says.
    """
    frozen = read_snapshot(snapshot, settings)
    there, newest = _versions(pipeline, snapshot, settings)
    try:
        with held(there):
            rebuilt = training_rows(Deployment(pipeline, settings), snapshot.cutoff)
    except AirloopError as error:
        return Rebuilt(len(frozen), len(there), newest, f"it cannot be made again: {error}")
    same = rebuilt.digest == snapshot.digest
    problem = "" if same else _difference(frozen, rebuilt.frame, pipeline.prediction.entity_key)
    return Rebuilt(len(frozen), len(snapshot.table_versions), newest, problem)


def _versions(pipeline: Pipeline, snapshot: Snapshot, settings: Settings) -> tuple[dict[str, int], tuple[str, ...]]:
    """URI -> version of the tables that can still be read as they were, and the names of the others."""
    there, gone = {}, []
    for name, version in snapshot.table_versions.items():
        uri = f"{settings.lake_uri}/{pipeline.name}/{name}"
        if _there(uri, version, settings):
            there[uri] = version
        else:
            gone.append(name)
    return there, tuple(gone)


def _there(uri: str, version: int, settings: Settings) -> bool:
    """Whether the log still knows a version, and all files that it holds are there."""
    try:
        table = lake.open_table(uri, settings, version=version)
    except AirloopError:
        return False
    system, folder = fsspec.core.url_to_fs(uri, **settings.storage_options)
    return table is not None and all(system.exists(f"{folder}/{path}") for path in table.files())


def _difference(frozen: pd.DataFrame, rebuilt: pd.DataFrame, key: str) -> str:
    if list(frozen.columns) != list(rebuilt.columns):
        other = sorted({*frozen.columns} ^ {*rebuilt.columns})
        return f"columns differ: {', '.join(other) or 'their order'}"
    was, now = frozen.set_index(key), rebuilt.set_index(key)
    if not was.index.is_unique or not now.index.is_unique:
        raise DataContractError(f"rows share a {key}: a training set holds each once")
    lost, new = was.index.difference(now.index), now.index.difference(was.index)
    both = was.index.intersection(now.index)
    unequal = {
        column: int((~((was.loc[both, column] == now.loc[both, column]) | _both_missing(was, now, both, column))).sum())
        for column in was.columns
    }
    changed = ", ".join(f"{column} in {count:,}" for column, count in unequal.items() if count)
    return f"{len(lost):,} rows are gone, {len(new):,} are new, of {len(both):,} others differ: {changed or 'none'}"


def _both_missing(was: pd.DataFrame, now: pd.DataFrame, both: pd.Index, column: str) -> pd.Series:
    missing: pd.Series = was.loc[both, column].isna() & now.loc[both, column].isna()
    return missing
