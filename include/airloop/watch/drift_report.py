"""Evidently's report of a window: its pictures and tables, with the scores that airloop.watch.drift measured."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
from evidently.legacy.core import ColumnType
from evidently.metrics import ValueDrift

from airloop.problems import PREDICTION
from airloop.watch.drift import ColumnDrift, Drift, Sides
from airloop.watch.drift_widgets import DriftTable, Headline, ScoreTable

METHOD = "PSI over the reference's bins, less chance"
MOST_PICTURES = 40
WORST = 20
"""A page with more than MOST_PICTURES features draws so many."""

_DATA = re.compile(r"^(\s*var \w+ = )(\{.*\};)$", re.MULTILINE)

_measured: ContextVar[Mapping[str, ColumnDrift]] = ContextVar("measured columns of the report that is being made")


def _look_up(reference: pd.Series, _current: pd.Series, _kind: ColumnType, _threshold: float) -> tuple[float, bool]:
    """Evidently asks with samples and without missing values; all rows were measured before."""
    column = _measured.get()[str(reference.name)]
    return column.score or 0.0, column.drifted


register_stattest(StatTest(METHOD, METHOD, [ColumnType.Categorical, ColumnType.Numerical], 0.1), _look_up)


@contextmanager
def _answering(columns: Mapping[str, ColumnDrift]) -> Iterator[None]:
    token = _measured.set(columns)
    try:
        yield
    finally:
        _measured.reset(token)


def page(
    measured: Drift,
    sides: tuple[Sides, Sides],
    *,
    ignore: Sequence[str],
    threshold: float,
    sample_rows: int,
    seed: int,
    headline: Mapping[str, str],
) -> str:
    """A self-contained page; empty when no feature could be judged.

    A page of many features draws those with the largest scores, and has all scores as a table: with a picture of each
    of 500 it would take 37 MB.

    Args:
        sides: Reference and current rows; a seeded sample of at most `sample_rows` of each is drawn.
        ignore: Features shown beside the table, because their drift is expected.
        headline: Shown on top: label -> value.
    """
    then, now = (_sample(side, sample_rows, seed) for side in sides)
    columns = {**measured.columns, PREDICTION: measured.prediction}
    # Evidently refuses a column without any value, in what it is given.
    scored = [
        name
        for name, column in columns.items()
        if column.score is not None and then[name].notna().any() and now[name].notna().any()
    ]
    if not set(scored) - {PREDICTION}:
        return ""
    counted = [name for name in scored if name not in (*ignore, PREDICTION)]
    others = [name for name in scored if name not in counted]
    if len(scored) > MOST_PICTURES:
        table = [ScoreTable(scores={name: columns[name].score or 0.0 for name in scored}, ignored=list(ignore))]
        worst = sorted(counted, key=lambda name: -(columns[name].score or 0.0))[:WORST]
        others = [name for name in (PREDICTION, *worst) if name in scored]
    else:
        table = [DriftTable(columns=counted, method=METHOD, threshold=threshold)] if counted else []
    single = [ValueDrift(column=name, method=METHOD, threshold=threshold) for name in others]
    report = Report([Headline(values=dict(headline)), *table, *single])
    drawn = scored if len(scored) <= MOST_PICTURES else others
    known = {*sides[0].categories} - {*sides[0].documents}
    categories = [name for name in drawn if name in known or not _is_number(then[name], now[name])]
    definition = DataDefinition(
        numerical_columns=[name for name in drawn if name not in categories], categorical_columns=categories
    )
    data = [Dataset.from_pandas(_texts(side[drawn], categories), data_definition=definition) for side in (then, now)]
    # Evidently computes correlations nobody asked for, and a constant column has none.
    with np.errstate(invalid="ignore", divide="ignore"), _answering(columns):
        return without_markup(str(report.run(data[1], data[0]).get_html_str(as_iframe=False)))


def without_markup(page: str) -> str:
    """Evidently's page with its data as data: it writes JSON into a script, where a text may hold the script's end.

    The two lines of data come first, and JSON has no line break of its own; `<` only stands in its texts.
    """
    return _DATA.sub(lambda line: line[1] + line[2].replace("<", "\\u003c"), page, count=2)


def _visible(text: str) -> str:
    """Text that Plotly takes for no tag: it draws links of labels that look like HTML."""
    return text.replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}").replace(
        ">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    )


def _sample(side: Sides, rows: int, seed: int) -> pd.DataFrame:
    """A frame of features beside predictions of other rows: columns are compared one by one, never across.

    A document is shown as its number of words: a picture of texts has a bar for each.
    """
    frame = side.features.replace([np.inf, -np.inf], np.nan)
    frame = frame.assign(
        **{name: frame[name].map(_words, na_action="ignore").astype("float64") for name in side.documents}
    )
    picked = frame.sample(min(rows, len(frame)), random_state=seed).sort_index().reset_index(drop=True)
    predictions = side.predictions.dropna()
    chosen = predictions.sample(min(rows, len(predictions)), random_state=seed).sort_index().reset_index(drop=True)
    return pd.concat([picked, chosen.rename(PREDICTION)], axis=1)


def _words(document: str) -> int:
    return len(document.split())


def _is_number(*columns: pd.Series) -> bool:
    return all(pd.api.types.is_numeric_dtype(column) for column in columns)


def _texts(frame: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """Categories as text: Evidently sorts them, and flags do not sort with what stands for a missing one."""
    shown = {
        name: frame[name].map(lambda value: _visible(str(value)), na_action="ignore").astype("object")
        for name in categories
    }
    return frame.assign(**shown)
