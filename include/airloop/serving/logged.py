"""Records of the prediction log: a line a prediction, or a line for all rows of a request that share all but values.

A request of a hundred rows with all features writes one line: names, key, version and instants stand in it once. It is
read as a hundred records.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import msgspec

from airloop.records import parse_instant


class Other(msgspec.Struct, frozen=True):
    """What the version said that did not answer: the challenger beside the champion, of a canary's row the champion."""

    version: int
    decision: int
    prediction: float | list[float]


class Logged(msgspec.Struct, frozen=True, omit_defaults=True):
    """One prediction as it was answered.

    Attributes:
        id: 32 hexadecimal digits, the first 12 the millisecond (Unix) of the answer.
        at: Wall clock of the answer, ISO UTC.
        decision: Number of the ledger's decision that put the version in force.
        as_of: The instant the features' ages are measured at: the decision time of the row.
        features: Every feature the model was given, by name.
        ages: View -> age in seconds of the value that was used.
        flags: View -> `stale` or `absent`.
        explicit: Names of the features the request sent itself.
        role: `canary` where a challenger answered; empty for the champion.
        other: What the version said that did not answer; None where only one was asked.
        prediction: A number, or a list of probabilities.
        threshold: From which probability on the version that answered is acted on; None where none was chosen.
        latency_ms: From the request's last byte to this record.
        caller: Name and id of the key; `open` where none is needed.
    """

    id: str
    at: str
    pipeline: str
    version: int
    decision: int
    as_of: str
    features: dict[str, Any]
    prediction: float | list[float]
    latency_ms: float
    caller: str
    protocol: str
    form: str
    entity: dict[str, Any] = {}
    ages: dict[str, float] = {}
    flags: dict[str, str] = {}
    explicit: list[str] = []
    role: str = ""
    other: Other | None = None
    threshold: float | None = None


class LoggedRows(msgspec.Struct, frozen=True, omit_defaults=True):
    """Predictions of one request by one version, of rows whose features were all sent; see Logged.

    Attributes:
        ids: One a row; likewise `rows` and `predictions`.
        names: Of the features, in the order of a row's values.
    """

    ids: list[str]
    at: str
    pipeline: str
    version: int
    decision: int
    as_of: str
    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    predictions: list[Any]
    latency_ms: float
    caller: str
    protocol: str
    form: str
    threshold: float | None = None

    def __len__(self) -> int:
        """How many predictions."""
        return len(self.ids)

    def records(self) -> Iterator[Logged]:
        """One a row."""
        for identity, values, prediction in zip(self.ids, self.rows, self.predictions, strict=True):
            yield Logged(
                id=identity,
                at=self.at,
                pipeline=self.pipeline,
                version=self.version,
                decision=self.decision,
                as_of=self.as_of,
                features=dict(zip(self.names, values, strict=True)),
                prediction=prediction,
                latency_ms=self.latency_ms,
                caller=self.caller,
                protocol=self.protocol,
                form=self.form,
                explicit=list(self.names),
                threshold=self.threshold,
            )


Answered = Sequence[Logged] | LoggedRows
"""What was answered to one request."""

_ENCODER = msgspec.json.Encoder()
_BEGINS = b'{"ids":'
"""Of a line with several rows: its first field."""


def predictions_of(answered: Answered) -> list[Any]:
    """Row by row."""
    if isinstance(answered, LoggedRows):
        return answered.predictions
    return [record.prediction for record in answered]


def ids_of(answered: Answered) -> list[str]:
    """Row by row."""
    return answered.ids if isinstance(answered, LoggedRows) else [record.id for record in answered]


def encoded(records: Answered) -> bytes:
    """The lines of one answer."""
    if not isinstance(records, LoggedRows):
        return _ENCODER.encode_lines(records)
    names = cast("tuple[str, ...]", _names(records.names))  # what a type says is not asked for where it is written
    return _ENCODER.encode(msgspec.structs.replace(records, names=names)) + b"\n"


def read_line(line: bytes) -> list[Logged]:
    """The records of a line, each with an id and instants that can be read.

    Raises:
        MsgspecError, ValueError, RecursionError, DataContractError: It is no line of ours.
    """
    if not line.startswith(_BEGINS):
        return [_checked(msgspec.json.decode(line, type=Logged))]
    return [*map(_checked, msgspec.json.decode(line, type=LoggedRows).records())]


@cache
def _names(names: tuple[str, ...]) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(names))


def new_ids(now: float, count: int) -> list[str]:
    """Prediction ids of this millisecond (Unix seconds); 80 random bits follow it in each."""
    moment, random = f"{int(now * 1000):012x}", secrets.token_hex(10 * count)
    return [f"{moment}{random[at : at + 20]}" for at in range(0, 20 * count, 20)]


def id_time(prediction_id: str) -> datetime | None:
    """When an id was given; None for what is not an id."""
    if len(prediction_id) != 32 or not set(prediction_id) <= set("0123456789abcdef"):
        return None
    try:
        return datetime.fromtimestamp(int(prediction_id[:12], 16) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _checked(record: Logged) -> Logged:
    """A record whose id and instants can be read: one that cannot would stop every later collection."""
    for instant in (record.at, record.as_of):
        parse_instant(instant)
    if id_time(record.id) is None:
        raise ValueError(f"{record.id[:40]!r} is not the id of a prediction")
    return record
