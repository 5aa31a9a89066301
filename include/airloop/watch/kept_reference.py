"""A champion's reference: what monitoring compares with, made once of its snapshot and kept beside the version.

`<lake>/<pipeline>/references/v<version>_<key>.parquet` holds the bins of every feature over all rows the champion has
learned from, counts of their labels, and a sample of the rows for pictures and for questions to the model. The key
holds all that it is made of; a version without one, or whose file is damaged, has it made again from its snapshot. A
look so reads some thousand rows, however many were learned from, and its scores are those of all of them.
"""

import hashlib
import io
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from airloop.config import OF_VALUES, Pipeline
from airloop.errors import DataContractError, UpstreamUnavailable
from airloop.models import evidence
from airloop.models.history import evenly
from airloop.models.model_version import ModelVersion
from airloop.problems import task_of
from airloop.records import Record
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import files, frames
from airloop.watch import drift
from airloop.watch.bins import Bins, Categories, Numbers
from airloop.watch.words import Words

logger = logging.getLogger(__name__)

ROWS = 5000
"""Rows sampled of either part, or monitoring.sample_rows where the report is to draw more."""

_FORMAT = 1
_NOTE = b"airloop.reference"
_SIDE = "side"
_LEARNED, _HELD_OUT = "learned", "held out"
_KEY_LENGTH = 16


@dataclass(frozen=True)
class LabelsOfPart(Record):
    """Labels of a part of the snapshot.

    Attributes:
        of_class: Labelled rows of each class, of a binary task those of class 1; empty of a task of values.
    """

    rows: int
    unlabelled: int
    of_class: tuple[int, ...]


@dataclass(frozen=True)
class Counts(Record):
    """What is known of all rows of the snapshot.

    Attributes:
        features: In their order.
        numbers: Feature -> bins of the rows that were learned from; `categories` likewise of the others, but of `texts`
            (training.text) what their words say.
        parts: Of train, holdout and reserve, sorted by name.
        variance_of_days: Variance of the unlabelled share over UTC days of decision times.
    """

    features: tuple[str, ...]
    numbers: dict[str, Numbers]
    categories: dict[str, Categories]
    parts: tuple[LabelsOfPart, ...]
    variance_of_days: float
    texts: dict[str, Words] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, Bins | Words]:
        """Feature -> its bins, in the order of the features."""
        bins: dict[str, Bins | Words] = {**self.numbers, **self.categories, **self.texts}
        return {name: bins[name] for name in self.features}


@dataclass(frozen=True)
class KeptReference:
    """A reference, read.

    Attributes:
        learned: Features of rows that were learned from, evenly spread over their time.
        held_out: Features of rows of the holdout likewise.
        digest: SHA-256 of the file.
    """

    counts: Counts
    learned: pd.DataFrame
    held_out: pd.DataFrame
    digest: str


def reference_of(
    pipeline: Pipeline, champion: ModelVersion, categories: Collection[str], settings: Settings
) -> KeptReference:
    """The champion's reference as it is kept; made of its snapshot, once, where there is none.

    Raises:
        GuardRefused: There is none, and the snapshot is gone.
        UpstreamUnavailable: The lake cannot be read or written.
    """
    key = _key(pipeline, champion, categories)
    uri = f"{settings.lake_uri}/{pipeline.name}/references/v{champion.version}_{key}.parquet"
    stored = _stored(uri, settings)
    if stored is not None:
        return stored
    frozen = frames.read(champion.snapshot.uri, settings)
    new = content(pipeline, champion, frozen, categories)
    files.put(uri, new, settings)
    logger.info("%s: reference of version %d made of %d rows", pipeline.name, champion.version, len(frozen))
    return opened(new)


def content(pipeline: Pipeline, champion: ModelVersion, frozen: pd.DataFrame, categories: Collection[str]) -> bytes:
    """The file of a reference.

    Args:
        frozen: The champion's snapshot, sorted by decision time: features, label, part.
        categories: The features that hold no numbers.
    """
    features = list(champion.features)
    learned, held_out = champion.learned(frozen), frozen[frozen["part"] == "holdout"]
    by_day = frozen["label"].isna().groupby(evidence.utc_days(frozen["decision_time"])).mean()
    bins = drift.bins_of(learned[features], categories, pipeline.training.text)
    counts = Counts(
        features=champion.features,
        numbers={name: column for name, column in bins.items() if isinstance(column, Numbers)},
        categories={name: column for name, column in bins.items() if isinstance(column, Categories)},
        parts=tuple(_labels(pipeline, part) for _, part in frozen.groupby("part")["label"]),
        variance_of_days=float(by_day.var(ddof=0)),
        texts={name: column for name, column in bins.items() if isinstance(column, Words)},
    )
    sampled = [
        side.iloc[evenly(len(side), _sampled_rows(pipeline))][features].assign(**{_SIDE: name})
        for name, side in ((_LEARNED, learned), (_HELD_OUT, held_out))
    ]
    rows = pa.Table.from_pandas(pd.concat(sampled, ignore_index=True), preserve_index=False)
    note = {_NOTE: json.dumps(counts.to_json(), allow_nan=False).encode()}
    written = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata({**(rows.schema.metadata or {}), **note}), written)
    return written.getvalue()


def opened(written: bytes) -> KeptReference:
    """A file, read.

    Raises:
        DataContractError: It is not one that `content` made.
    """
    try:
        rows = pq.read_table(io.BytesIO(written))
        counts = Counts.from_json(json.loads(rows.schema.metadata[_NOTE]))
    except (pa.ArrowException, KeyError, OSError, TypeError, ValueError) as error:
        raise DataContractError(f"not a reference: {error}") from error
    frame = rows.to_pandas()
    learned, held_out = (
        frame[frame[_SIDE] == name].drop(columns=_SIDE).reset_index(drop=True) for name in (_LEARNED, _HELD_OUT)
    )
    return KeptReference(counts, learned, held_out, hashlib.sha256(written).hexdigest())


def _labels(pipeline: Pipeline, labels: pd.Series) -> LabelsOfPart:
    task = task_of(pipeline)
    classes = () if task.kind in OF_VALUES else range(len(task.classes)) if task.classes else (1,)
    return LabelsOfPart(
        len(labels), int(labels.isna().sum()), tuple(int((labels == number).sum()) for number in classes)
    )


def _sampled_rows(pipeline: Pipeline) -> int:
    return max(ROWS, pipeline.monitoring.sample_rows)


def _key(pipeline: Pipeline, champion: ModelVersion, categories: Collection[str]) -> str:
    origin: dict[str, Any] = {
        "format": _FORMAT,
        "snapshot": [champion.snapshot.uri, champion.snapshot.digest, champion.snapshot.reserve_days],
        "refit": champion.refit_of is not None,
        "features": champion.features,
        "categories": sorted(categories),
        "task": [pipeline.prediction.task, task_of(pipeline).classes],
        "rows": _sampled_rows(pipeline),
    }
    if texts := sorted({*champion.features} & {*pipeline.training.text}):
        origin["texts"] = texts  # of others the key is that of an airloop that knew no texts
    return digest(origin)[:_KEY_LENGTH]


def _stored(uri: str, settings: Settings) -> KeptReference | None:
    try:
        with fsspec.open(uri, "rb", **settings.storage_options) as file:
            written = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be read: {error}") from error
    try:
        return opened(written)
    except DataContractError as error:
        logger.warning("%s is made again: %s", uri, error)
        return None
