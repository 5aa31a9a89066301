"""Evidently's report of a window: its pictures and tables, with the scores that airloop.watch.drift measured."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.container import MetricContainer, MetricOrContainer
from evidently.core.metric_types import MetricId
from evidently.core.report import Context
from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
from evidently.legacy.core import ColumnType
from evidently.legacy.model.widget import BaseWidgetInfo
from evidently.legacy.renderers.html_widgets import CounterData, counter
from evidently.metrics import DriftedColumnsCount, ValueDrift
from evidently.presets import DataDriftPreset

from airloop.problems import PREDICTION
from airloop.watch.drift import ColumnDrift, Drift, Sides

METHOD = "PSI over the reference's bins, less chance"
_COUNTERS_A_ROW = 2
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

    Args:
        sides: Reference and current rows; a seeded sample of at most `sample_rows` of each is drawn.
        ignore: Features shown beside the table, because their drift is expected.
        headline: Shown on top: label -> value.
    """
    then, now = (_sample(side, sample_rows, seed) for side in sides)
    columns = {**measured.columns, PREDICTION: measured.prediction}
    # Evidently refuses a column without any value, in what it is given.
    drawn = [
        name
        for name, column in columns.items()
        if column.score is not None and then[name].notna().any() and now[name].notna().any()
    ]
    counted = [name for name in drawn if name not in (*ignore, PREDICTION)]
    if not set(drawn) - {PREDICTION}:
        return ""
    others = [name for name in drawn if name not in counted]
    table = [DriftTable(columns=counted, method=METHOD, threshold=threshold)] if counted else []
    single = [ValueDrift(column=name, method=METHOD, threshold=threshold) for name in others]
    report = Report([Headline(values=dict(headline)), *table, *single])
    categories = [name for name in drawn if name in sides[0].categories or not _is_number(then[name], now[name])]
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
    """A frame of features beside predictions of other rows: columns are compared one by one, never across."""
    frame = side.features.replace([np.inf, -np.inf], np.nan)
    picked = frame.sample(min(rows, len(frame)), random_state=seed).sort_index().reset_index(drop=True)
    predictions = side.predictions.dropna()
    chosen = predictions.sample(min(rows, len(predictions)), random_state=seed).sort_index().reset_index(drop=True)
    return pd.concat([picked, chosen.rename(PREDICTION)], axis=1)


def _is_number(*columns: pd.Series) -> bool:
    return all(pd.api.types.is_numeric_dtype(column) for column in columns)


def _texts(frame: pd.DataFrame, categories: Sequence[str]) -> pd.DataFrame:
    """Categories as text: Evidently sorts them, and flags do not sort with what stands for a missing one."""
    shown = {
        name: frame[name].map(lambda value: _visible(str(value)), na_action="ignore").astype("object")
        for name in categories
    }
    return frame.assign(**shown)


class DriftTable(DataDriftPreset):
    """Evidently's table of drifted columns, without the figures that it draws and never shows (half of its time)."""

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """The count alone; `render` draws the table from the data."""
        return [metric for metric in super().generate_metrics(context) if isinstance(metric, DriftedColumnsCount)]


class Headline(MetricContainer):
    """The numbers a person looks for first, as counters on top of Evidently's report."""

    values: dict[str, str]

    def generate_metrics(self, context: Context) -> Sequence[MetricOrContainer]:
        """No metric of its own: the numbers were computed before."""
        return []

    def render(
        self, context: Context, child_widgets: list[tuple[MetricId | None, list[BaseWidgetInfo]]] | None = None
    ) -> list[BaseWidgetInfo]:
        """Rows of counters, as many in each as are readable."""
        counters = [CounterData(label, value) for label, value in self.values.items()]
        rows = [counters[start : start + _COUNTERS_A_ROW] for start in range(0, len(counters), _COUNTERS_A_ROW)]
        return [counter(counters=row) for row in rows]
