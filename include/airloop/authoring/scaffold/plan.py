"""What a table's rows over time say: coverage, calendar, how much to hold out, what a model has to be better than."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from airloop.authoring.scaffold import sparse
from airloop.authoring.scaffold.roles import Roles
from airloop.config import TaskKind
from airloop.config.calendar import Calendar, period_end, period_start
from airloop.errors import DataContractError
from airloop.sources.land_tables import Table

LABEL_DELAY = timedelta(days=1)
METRIC: dict[TaskKind, str] = {"binary": "brier", "regression": "mae", "multiclass": "log_loss"}
_EMBARGO_DAYS = 1
_FEWEST_TRAIN, _FEWEST_HOLDOUT = 90, 30  # two tuning folds, and a metric, want that many
_FEWEST_IN_PERIOD = 30
_FIRST_SHARE = 5
_FEWEST_JUDGED = 30
_SEVERAL: dict[Calendar, timedelta] = {
    "daily": timedelta(0),
    "weekly": timedelta(days=28),
    "monthly": timedelta(days=90),
}
_USUAL_LOOK_DAYS = 28  # monitoring.over_days, where nothing else is declared
_COMPARABLE_DAYS = 42  # from here on a quarter, or a bit more, has the 14 days that a comparison of models needs


@dataclass(frozen=True)
class Plan:
    """The numbers of a declaration.

    Attributes:
        end: The midnight (UTC) after the last row.
        cutoff: Of a first training: the start of the last whole calendar period, or its end when the rows before it
            are too few; the coverage's end when there is no whole period.
        scored_until: End of the period after the cutoff, which that model can score; None when there is none.
        rows_a_day: Mean over the days from the first row to the last.
        rows_a_period: Median over the calendar's periods.
        empty_periods: Periods of the calendar between the first row and the last that have none.
        labelled_share: Of all rows, those with a label.
        look_days: Days that monitoring judges at a look, so that it has enough rows and days of them.
        train_rows: Labelled rows before the holdout of a training with cutoff `end`.
        floor: The metric of always saying the same on that holdout: the share, the median, the shares of the classes.
    """

    start: datetime
    end: datetime
    cutoff: datetime
    scored_until: datetime | None
    calendar: Calendar
    rows: int
    rows_a_day: float
    rows_a_period: int
    empty_periods: int
    labelled_share: float
    holdout_days: int
    embargo_days: int
    look_days: int
    train_rows: int
    floor: float

    @property
    def min_train_rows(self) -> int:
        """A fifth of what the table would train on, in one digit: a replay of it then has months left to score."""
        return _min_train_rows(self.train_rows)

    @property
    def min_policy_rows(self) -> int:
        """Half of a period's labelled rows: monitoring judges no others."""
        return _min_policy_rows(self.rows_a_period * self.labelled_share)

    @property
    def over_days(self) -> int | None:
        """What monitoring has to declare: nothing where the usual four weeks have rows enough."""
        return self.look_days if self.look_days > _USUAL_LOOK_DAYS else None


def make_plan(table: Table, roles: Roles) -> Plan:
    """Numbers with which every stage runs on this very table.

    Raises:
        DataContractError: Too few labelled rows, or days, to train on the older and judge on the newer ones.
    """
    rows = table.values().select(time=roles.time, label=roles.label).sort("time")
    first, last = rows["time"][0], rows["time"][-1]
    end = period_start("daily", last) + timedelta(days=1)
    days = (end - period_start("daily", first)).days
    mature = rows.drop_nulls("label").filter(pl.col("time") < end - LABEL_DELAY)
    holdout_days = _holdout_days(mature["time"], end, days)
    holdout_start = end - LABEL_DELAY - timedelta(days=holdout_days)
    held_out = mature.filter(pl.col("time") >= holdout_start)
    train = mature.filter(pl.col("time") < holdout_start - timedelta(days=_EMBARGO_DAYS))
    _refuse_few(table, rows, train=len(train), held_out=len(held_out), holdout_days=holdout_days)
    calendar, rows_a_period = _calendar(rows["time"])
    start, whole = period_start(calendar, first), period_start(calendar, end)
    previous = period_start(calendar, whole - timedelta(days=1))
    before = train.filter(pl.col("time") < previous - LABEL_DELAY - timedelta(days=holdout_days + _EMBARGO_DAYS))
    embargo_days = _EMBARGO_DAYS if _folds_have_rows(train["time"]) else 0
    enough = len(before) >= max(_FEWEST_TRAIN, _min_train_rows(len(train)))
    scores = previous > start and enough and (not embargo_days or _folds_have_rows(before["time"]))
    labelled_share = rows["label"].count() / len(rows)
    judged = _min_policy_rows(rows_a_period * labelled_share)
    return Plan(
        start=start,
        end=end,
        cutoff=previous if scores else whole if whole > start else end,
        scored_until=whole if scores else None,
        calendar=calendar,
        rows=len(rows),
        rows_a_day=len(rows) / days,
        rows_a_period=rows_a_period,
        empty_periods=int((_rows_by_period(rows["time"], calendar) == 0).sum()),
        labelled_share=labelled_share,
        holdout_days=holdout_days,
        embargo_days=embargo_days,
        look_days=sparse.days_of_a_look(mature["time"], rows=judged, usual=_USUAL_LOOK_DAYS),
        train_rows=len(train),
        floor=_floor(roles, train["label"], held_out["label"]),
    )


def _refuse_few(table: Table, rows: pl.DataFrame, *, train: int, held_out: int, holdout_days: int) -> None:
    if train >= _FEWEST_TRAIN and held_out >= _FEWEST_HOLDOUT:
        return
    raise DataContractError(
        f"{table.path}: {rows['label'].count():,} rows with a label from {rows['time'][0]:%Y-%m-%d} to "
        f"{rows['time'][-1]:%Y-%m-%d} are too few: {train} to train on ({_FEWEST_TRAIN} needed), and in the newest "
        f"{holdout_days} days {held_out} to judge on ({_FEWEST_HOLDOUT} needed): bring more of the past, or more rows "
        "of each day"
    )


def _holdout_days(mature: pl.Series, end: datetime, days: int) -> int:
    """Up to four weeks, a quarter of the days; of sparse tables as many of that quarter as a comparison needs."""
    quarter = max(1, days // 4)
    comparable = days >= _COMPARABLE_DAYS
    usual = min(28, max(sparse.FEWEST_DAYS, quarter)) if comparable else quarter
    for different in (sparse.FEWEST_DAYS, 1) if comparable else (1,):
        needed = sparse.days_back(mature, end - LABEL_DELAY, rows=_FEWEST_HOLDOUT, days=different)
        if needed is not None and needed <= quarter:
            return max(usual, needed)
    return usual


def _min_policy_rows(rows_a_period: float) -> int:
    return max(_FEWEST_JUDGED, int(rows_a_period) // 2)


def _min_train_rows(train_rows: int) -> int:
    return max(_FEWEST_TRAIN, int(float(f"{train_rows / _FIRST_SHARE:.1g}")))


def _calendar(times: pl.Series) -> tuple[Calendar, int]:
    """The longest period of which the table holds several, and its median rows; a sparse table gets a longer one."""
    names = list(_SEVERAL)
    longest = max(index for index, least in enumerate(_SEVERAL.values()) if times[-1] - times[0] >= least)
    rows = {name: _median_rows(times, name) for name in names[longest:]}
    chosen = next((name for name in rows if rows[name] >= _FEWEST_IN_PERIOD), names[-1])
    return chosen, rows[chosen]


def _median_rows(times: pl.Series, calendar: Calendar) -> int:
    return int(np.median(_rows_by_period(times, calendar)))


def _rows_by_period(times: pl.Series, calendar: Calendar) -> npt.NDArray[np.int64]:
    bounds = [period_start(calendar, times[0])]
    while bounds[-1] <= times[-1]:
        bounds.append(period_end(calendar, bounds[-1]))
    return np.diff([times.search_sorted(bound, "left") for bound in bounds])


def _folds_have_rows(times: pl.Series) -> bool:
    """Whether an embargo would leave the first of two tuning folds something to fit on."""
    check_start = times[int(np.linspace(0, len(times), 4)[1])]
    return int((times < check_start - timedelta(days=_EMBARGO_DAYS)).sum()) >= _FEWEST_IN_PERIOD


def _floor(roles: Roles, train: pl.Series, held_out: pl.Series) -> float:
    if roles.task == "regression":
        return float((held_out - train.median()).abs().mean())  # type: ignore[arg-type]
    numbers = {value: number for number, value in enumerate(roles.classes)}
    known, holdout = (np.array([numbers[value] for value in labels]) for labels in (train, held_out))
    if roles.task == "binary":
        return float(np.mean((known.mean() - holdout) ** 2))
    # A class that the older rows do not hold is as likely as one row of them.
    shares = np.maximum(np.bincount(known, minlength=len(numbers)), 1) / len(known)
    return float(-np.log(shares[holdout]).mean())
