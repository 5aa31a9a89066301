"""Reserve days: every so many UTC days no model learns from, so that what one has forgotten shows on the whole past.

Counted since 1970-01-01, so that a day is reserved in every training or in none, wherever the coverage starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from airloop.models.evidence import utc_days
from airloop.problems import Floats, Integers

RESERVE = "reserve"
"""`part` of the rows of a training set that are kept back."""

Marks = npt.NDArray[np.bool_]


def reserved(times: pd.Series, every: int | None) -> Marks:
    """Which decision times (UTC) lie on reserve days (training.reserve_days); none without any."""
    if every is None or len(times) == 0:
        return np.zeros(len(times), dtype=bool)
    marks: Marks = utc_days(times) % every == 0
    return marks


def learnable(rows: pd.DataFrame, every: int | None) -> pd.DataFrame:
    """The rows, in their order, without those of reserve days: all that any model may learn from."""
    return rows if every is None else rows[~reserved(rows["decision_time"], every)].reset_index(drop=True)


@dataclass(frozen=True)
class Learned:
    """A model, and which rows it has not learned from.

    Attributes:
        until: End (exclusive) of the decision times it learned from.
        every: The reserve days of its training; None: it had none.
    """

    predict: Callable[[pd.DataFrame], Floats]
    until: datetime
    every: int | None

    def unseen(self, rows: pd.DataFrame) -> Marks:
        """Rows of its reserve days, and those decided since it learned."""
        later: Marks = (rows["decision_time"] >= self.until).to_numpy()
        return later | reserved(rows["decision_time"], self.every)


@dataclass(frozen=True)
class ReserveRows:
    """What two models say of labelled reserve rows that neither has learned from.

    Attributes:
        days: UTC calendar-day block id per row.
        champion_kept_back: Whether the champion's training had reserve days at all.
    """

    labels: Floats
    days: Integers
    champion: Floats
    candidate: Floats
    champion_kept_back: bool


def of_frame(frame: pd.DataFrame, champion: Learned, candidate: Learned) -> Callable[[], ReserveRows] | None:
    """`reserve_rows` of a training set, for whoever asks; None where it keeps nothing back."""
    if candidate.every is None:
        return None
    return lambda: reserve_rows(frame, champion, candidate)


def reserve_rows(frame: pd.DataFrame, champion: Learned, candidate: Learned) -> ReserveRows:
    """The labelled rows of part RESERVE that neither learned from, with what both say of them."""
    rows = frame[(frame["part"] == RESERVE) & frame["label"].notna()]
    rows = rows[champion.unseen(rows) & candidate.unseen(rows)].reset_index(drop=True)
    none = np.empty(0)
    return ReserveRows(
        labels=rows["label"].to_numpy(dtype="float64"),
        days=utc_days(rows["decision_time"]) if len(rows) else np.empty(0, dtype=np.int64),
        champion=champion.predict(rows) if len(rows) else none,
        candidate=candidate.predict(rows) if len(rows) else none,
        champion_kept_back=champion.every is not None,
    )
