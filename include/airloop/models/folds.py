"""Time-ordered folds: validate on the newest blocks of the training part, fit on what lies before each.

A block is as long as the holdout, so that a fold asks what the gate will ask: trained up to here, how good is it on the
next weeks (rolling origin: Tashman 2000, International Journal of Forecasting 16).
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd

from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.models import evidence
from airloop.models.history import evenly, raised_bounds
from airloop.problems import task_of

Fold = tuple[pd.DataFrame, pd.DataFrame]


def folds(pipeline: Pipeline, rows: pd.DataFrame) -> list[Fold]:
    """`training.budget.folds` pairs of rows to fit on and rows to validate on, oldest first.

    Validated are the newest blocks of `holdout_days` each; a history too short for that is cut into folds + 1 parts of
    equal size, all but the first validated. Fitted are the rows before a block, but those within one embargo of it, and
    those of its groups (training.group). A side of more than `budget.rows` rows is thinned evenly over time. Of a
    classifier each side holds at least two classes.

    Args:
        rows: Labelled training rows by decision_time.

    Raises:
        ConfigError: training.group names no column of the rows.
        DataContractError: The embargo takes all that lies before a block, or either side of a fold has one class only.
    """
    budget = pipeline.training.budget
    problem = ""
    for starts in (_blocks(pipeline, rows), _equal_parts(rows, budget.folds)):
        if not starts:
            continue
        whole = list(_cut(pipeline, rows, starts))
        problem = next(filter(None, (_problem(pipeline, rows, fold) for fold in whole)), "")
        if not problem:
            return [(spread(fit, budget.rows), spread(check, budget.rows)) for fit, check in whole]
    raise DataContractError(problem)


def spread(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` rows, evenly spread over the rows' order, with the newest one; all when there are no more."""
    return rows if len(rows) <= count else rows.iloc[evenly(len(rows), count)]


def _blocks(pipeline: Pipeline, rows: pd.DataFrame) -> list[int]:
    """First row of each newest block of `holdout_days`; none when the history has no room for them."""
    count, length = pipeline.training.budget.folds, timedelta(days=pipeline.training.holdout_days)
    times = rows["decision_time"]
    if len(rows) == 0 or (times.iloc[-1] - times.iloc[0]) / (count + 1) <= length:
        return []
    return [int(times.searchsorted(times.iloc[-1] - length * number)) for number in range(count, 0, -1)]


def _equal_parts(rows: pd.DataFrame, count: int) -> list[int]:
    return [int(edge) for edge in np.linspace(0, len(rows), count + 2)][1:-1]


def _cut(pipeline: Pipeline, rows: pd.DataFrame, starts: list[int]) -> Iterator[Fold]:
    embargo = pd.Timedelta(days=pipeline.training.embargo_days)
    for start, end in itertools.pairwise([*starts, len(rows)]):
        check, before = rows.iloc[start:end], rows.iloc[:start]
        fit = before[before["decision_time"] < check["decision_time"].iloc[0] - embargo] if len(check) else before
        yield _of_other_groups(pipeline, fit, check), check


def _of_other_groups(pipeline: Pipeline, fit: pd.DataFrame, check: pd.DataFrame) -> pd.DataFrame:
    """The rows to fit on without those whose group is among the rows to validate on (training.group)."""
    group = pipeline.training.group
    if group is None:
        return fit
    if group not in fit.columns:
        key = pipeline.prediction.entity_key
        raise ConfigError(
            f"{pipeline.name}/pipeline.yaml: training.group: there is no feature {group!r}; name one of the service "
            f"{pipeline.features.service}, or the entity key {key!r}"
        )
    return fit[~fit[group].isin(check[group].unique())]


def _problem(pipeline: Pipeline, rows: pd.DataFrame, fold: Fold) -> str:
    """Why a fold can teach nothing; empty when it can."""
    fit, check = fold
    training, task = pipeline.training, task_of(pipeline)
    what = f"{pipeline.name}: {len(rows)} rows in {training.budget.folds} folds"
    if fit.empty or check.empty:
        apart = f", of other groups than those validated on (training.group: {training.group})"
        return (
            f"{what} leave nothing to fit on before the embargo of {training.embargo_days} days"
            f"{apart if training.group else ''}: {_way_out(pipeline)}"
        )
    if len(check) < evidence.MIN_ROWS:
        return (
            f"{what}: {len(check)} rows to validate on from {check['decision_time'].iloc[0]:%Y-%m-%d} are too "
            f"few for a metric, which needs {evidence.MIN_ROWS}: raise training.holdout_days, {_way_out(pipeline)}"
        )
    for side, part in (("fit", fit), ("validate", check)):
        if not task.can_learn(part["label"]):
            first, last = part["decision_time"].iloc[0], part["decision_time"].iloc[-1]
            return (
                f"{what}: all {len(part)} rows to {side} on from {first:%Y-%m-%d} to {last:%Y-%m-%d} have label "
                f"{part['label'].iloc[0]:g}, and a fold of a classifier needs two classes on either side: "
                f"{_one_class(pipeline, rows) or _way_out(pipeline)}"
            )
    return ""


def _one_class(pipeline: Pipeline, rows: pd.DataFrame) -> str:
    """What to do where no labelled row has another class: those outcomes never arrive, or the query loses them."""
    if rows["label"].nunique() > 1:
        return ""
    if pipeline.prediction.labels is not None:
        return "no row with a label has another one; look at section labels of features.sql"
    return (
        "no row with a label has another one. Where an outcome is written down for one class alone (a fraud that was "
        "reported, a customer that left), say what its absence means: prediction.labels: {absent_after_days: DAYS, "
        "means: LABEL} in pipeline.yaml; else look at section labels of features.sql"
    )


def _way_out(pipeline: Pipeline) -> str:
    """What gives a fold more to learn from."""
    return f"lower training.budget.folds, {raised_bounds(pipeline)}or take a later cutoff"
