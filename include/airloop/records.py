"""What stages hand to each other: small frozen records that round-trip through JSON. Frames and models never do."""

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from airloop.errors import DataContractError


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant that carries its UTC offset.

    Raises:
        DataContractError: The text is no instant, or has no offset: a local time is never guessed.
    """
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise DataContractError(f"{text!r} is not an ISO 8601 instant like 2013-02-01T00:00:00Z") from error
    if instant.tzinfo is None:
        raise DataContractError(f"{text!r} has no UTC offset; write 2013-02-01T00:00:00Z or +00:00")
    return instant.astimezone(UTC)


def instant_or_default(text: str, default: datetime | None) -> datetime:
    """`text` as an instant, or the default when it is empty.

    Raises:
        DataContractError: Neither is given, or the text is no instant with its UTC offset.
    """
    if text:
        return parse_instant(text)
    if default is None:
        raise DataContractError("give --start and --end: this pipeline's coverage has no end")
    return default


class Record:
    """Base of all records: JSON in, JSON out; datetimes as ISO instants, a NaN as null."""

    def to_json(self) -> dict[str, Any]:
        """The record as JSON-able values."""
        return typing.cast("dict[str, Any]", _encode(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; unknown keys raise TypeError."""
        hints = typing.get_type_hints(cls)
        return cls(**{key: _decode(hints.get(key), value) for key, value in data.items()})


def _encode(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _decode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _decode(next(item for item in arguments if item is not type(None)), value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is dict:
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value)
    if hint is datetime:
        return parse_instant(value)
    return value


@dataclass(frozen=True)
class Window(Record):
    """A half-open UTC interval `[start, end)`.

    Raises:
        DataContractError: A bound has no timezone, or the window is empty or reversed.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise DataContractError(f"window {name} {value} has no timezone; windows are UTC")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.start >= self.end:
            raise DataContractError(
                f"window [{self.start}, {self.end}) is empty or reversed; start must lie before end"
            )

    @classmethod
    def parse(cls, start: str, end: str) -> "Window":
        """A window of two ISO instants."""
        return cls(parse_instant(start), parse_instant(end))

    def __str__(self) -> str:
        """`[2013-01-01T00:00Z, 2013-02-01T00:00Z)`."""
        return f"[{self.start:%Y-%m-%dT%H:%MZ}, {self.end:%Y-%m-%dT%H:%MZ})"


@dataclass(frozen=True)
class Extracted(Record):
    """What a run fetched from the feeds' databases: the URIs it landed, and by feed the rows it read for them."""

    window: Window
    files: tuple[str, ...]
    rows: dict[str, int]


@dataclass(frozen=True)
class LandedFile(Record):
    """One file of the landing folder as it was read: its feed, URI, SHA-256 of the bytes, size."""

    feed: str
    uri: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class SetAside(Record):
    """A landed file that breaks its contract and was not read; `why` names file, line, column and value."""

    feed: str
    uri: str
    sha256: str
    why: str


@dataclass(frozen=True)
class TableVersion(Record):
    """A window of a lake table as written: Delta version, rows of the window, SHA-256 of its sorted content."""

    table: str
    uri: str
    version: int
    rows: int
    digest: str


@dataclass(frozen=True)
class Ingested(Record):
    """Raw rows of a window, and the files they came from.

    Attributes:
        files: The files that were read.
        missing: Feeds without any file for the window yet.
        set_aside: Files that were not read because they break their contract.
    """

    window: Window
    files: tuple[LandedFile, ...]
    tables: tuple[TableVersion, ...]
    missing: tuple[str, ...]
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class TableCheck(Record):
    """The verdict on one table: rows seen, rows that broke a critical row rule, broken rules by severity."""

    table: str
    rows: int
    bad_rows: int
    bad_share: float
    critical: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Validated(Record):
    """A window that passed: what was checked, what was published (`tables`), where the page lies."""

    window: Window
    layer: str
    checks: tuple[TableCheck, ...]
    tables: tuple[TableVersion, ...]
    report_uri: str

    @property
    def bad_rows(self) -> int:
        """Rows refused in this window, over all tables."""
        return sum(check.bad_rows for check in self.checks)


@dataclass(frozen=True)
class BuiltFeatures(Record):
    """Feature rows whose known_at lies in the window, one table per view."""

    window: Window
    views: tuple[TableVersion, ...]


@dataclass(frozen=True)
class Profiled(Record):
    """A window was described: rows of each table (`clean/<feed>`, `features/<view>`), where the page lies."""

    window: Window
    rows: dict[str, int]
    report_uri: str


@dataclass(frozen=True)
class Materialized(Record):
    """The newest value of each key of the window, online; `checked_keys` were read back and compared."""

    window: Window
    rows: dict[str, int]
    checked_keys: int


@dataclass(frozen=True)
class Snapshot(Record):
    """A frozen training set.

    Attributes:
        cutoff: Rows with decision time <= cutoff - label delay are mature.
        train: Decision times of the training rows.
        holdout: Decision times of the holdout rows; starts one embargo after `train` ends.
        uri: Parquet file: entity key, decision_time (UTC), features, label (null for none), part ('train'|'holdout').
        digest: SHA-256 of the content in (decision_time, entity key) order.
        unlabelled_rows: Mature rows without a label (cancelled, diverted): kept in the file, used by nobody.
        leak_checked: Decision times the leak check rebuilt.
        reason: Why this training was asked for: `probe`, `hand`, `schedule`.
        reason_key: What asked (one training answers it); equal for two triggers of the same cause.
    """

    pipeline: str
    cutoff: datetime
    train: Window
    holdout: Window
    uri: str
    digest: str
    train_rows: int
    holdout_rows: int
    unlabelled_rows: int
    features: tuple[str, ...]
    feature_service: str
    feature_fingerprint: str
    table_versions: dict[str, int]
    leak_checked: tuple[datetime, ...]
    reason: str
    reason_key: str


@dataclass(frozen=True)
class TunedCandidate(Record):
    """The best parameters of one candidate family and its mean score over time-ordered folds (higher is better)."""

    candidate: str
    params: dict[str, Any]
    score: float
    trials: int
    seconds: float
    run_id: str


@dataclass(frozen=True)
class TrainedModel(Record):
    """A registered, unjudged model version; `experiment_id` is MLflow's, for links."""

    candidate: str
    model_name: str
    version: int
    run_id: str
    model_uri: str
    params: dict[str, Any]
    snapshot_digest: str
    input_key: str
    experiment_id: str = ""


@dataclass(frozen=True)
class Evidence(Record):
    """The paired result of two models on the same rows, bootstrapped over calendar-day blocks.

    Attributes:
        metric: One of airloop.config.METRICS, which say whether lower is better.
        gain: Improvement of the candidate over the champion; positive is better for every metric.
        lower: Lower bound of the two-sided `confidence` interval of the gain.
        champion: The champion's value of the metric; `candidate` likewise.
        rows: Labelled rows both scored.
        blocks: Calendar days (UTC) with at least one such row.
    """

    metric: str
    gain: float
    lower: float
    upper: float
    confidence: float
    champion: float
    candidate: float
    rows: int
    blocks: int
    resamples: int
    seed: int


@dataclass(frozen=True)
class Evaluated(Record):
    """Candidate and champion on the same holdout; `problems` says what kept a comparison from being made.

    Attributes:
        champion_version: None when the pipeline has no champion yet.
        evidence: One per metric; empty without a champion.
        problems: Each one makes the gate refuse.
    """

    model_name: str
    version: int
    champion_version: int | None
    metrics: dict[str, float | None]
    champion_metrics: dict[str, float | None]
    evidence: tuple[Evidence, ...]
    holdout: Window
    holdout_rows: int
    cutoff: datetime
    reason: str
    reason_key: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Check(Record):
    """One rule of a gate: the value it saw, the inequality it applied, in words."""

    rule: str
    passed: bool
    observed: float | None
    says: str


@dataclass(frozen=True)
class Decision(Record):
    """What a gate decided about a version, and on which evidence. `outcome` is `passed` or `refused`."""

    model_name: str
    version: int
    champion_version: int | None
    outcome: str
    why: str
    checks: tuple[Check, ...]
    evidence: tuple[Evidence, ...]
    reason: str
    reason_key: str
    effective_at: datetime
    sequence: int | None = None

    @property
    def passed(self) -> bool:
        """Whether promotion may act on it."""
        return self.outcome == "passed"


@dataclass(frozen=True)
class Promoted(Record):
    """The alias has moved: `version` is champion for windows that start at or after `effective_at`."""

    model_name: str
    version: int
    previous_version: int | None
    decision_sequence: int
    sequence: int
    effective_at: datetime


@dataclass(frozen=True)
class Scored(Record):
    """Predictions of one model for one window; `appended` is 0 when the window was scored before."""

    window: Window
    version: int
    role: str
    mode: str
    rows: int
    appended: int
    table_version: int


@dataclass(frozen=True)
class Monitored(Record):
    """What was seen of the champion on rows whose labels matured in the window.

    Attributes:
        rows_window: Decision times judged: the window shifted back by the label delay.
        labelled_rows: Live predictions of the champion in force with a label.
        live: Metric name -> value; `<metric>_lower`, `<metric>_upper` bound it (day blocks).
        probe: Evidence of the probe over the champion; empty when there was too little data.
        drifted_share: Share of features whose drift score passes its threshold.
        prediction_psi: Population stability index of predictions against the champion's holdout.
        calibration_gap: Mean of prediction - label; of a multiclass task mean confidence minus accuracy.
        origin: `live` or `backfill`; evidence of a backfill triggers nothing.
    """

    window: Window
    rows_window: Window
    model_name: str
    version: int
    labelled_rows: int
    live: dict[str, float | None]
    probe: tuple[Evidence, ...]
    drifted_share: float | None
    drifted_features: tuple[str, ...]
    prediction_psi: float | None
    calibration_gap: float | None
    quality: dict[str, float | None]
    origin: str
    report_uri: str
    metrics_uri: str


@dataclass(frozen=True)
class Action(Record):
    """What triage decided: `retrain`, `nothing`, `not_enough_data` or `cooling_down`; why, on which evidence."""

    kind: str
    why: str
    reason_key: str
    cutoff: datetime
    evidence: tuple[Evidence, ...]
    sequence: int | None = None
