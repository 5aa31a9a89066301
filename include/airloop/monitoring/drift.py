"""Drift, measured and drawn by Evidently: how far rows of now are from rows of then, one PSI per column.

PSI (population stability index): sum over bins of (then - now) * ln(then / now); 0 is no difference, above 0.1 is
usually called drift. Evidently bins numbers by equal width over both sides, and leaves missing values out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.container import MetricContainer, MetricOrContainer
from evidently.core.metric_types import MetricId
from evidently.core.report import Context
from evidently.legacy.calculations.stattests import psi_stat_test
from evidently.legacy.core import ColumnType
from evidently.legacy.model.widget import BaseWidgetInfo
from evidently.legacy.renderers.html_widgets import CounterData, counter
from evidently.metrics import DriftedColumnsCount, ValueDrift
from evidently.presets import DataDriftPreset

from airloop.tasks import PREDICTION

MIN_ROWS = 100
"""Below it on either side a PSI is noise: its expectation without any drift is about (bins - 1) * (1/n + 1/m)."""

_COUNTERS_A_ROW = 2


@dataclass(frozen=True)
class Drift:
    """What changed between reference and current rows.

    Attributes:
        psi: Column -> score, of every feature that has values on both sides.
        prediction_psi: Score of the predictions; None with fewer than MIN_ROWS on a side.
        share: Drifted share of the features that count; None when there is none.
        drifted: Features that count whose score is >= the threshold, largest score first.
        empty: Features without any value in a side's sample: no drift can be computed, which is a matter of quality.
        html: Evidently's report, self-contained; empty with fewer than MIN_ROWS on a side.
    """

    psi: dict[str, float]
    prediction_psi: float | None
    share: float | None
    drifted: tuple[str, ...]
    empty: tuple[str, ...]
    html: str


@dataclass(frozen=True)
class Sides:
    """The rows of one side: features as a frame, predictions (numbers or names of classes) of possibly other rows."""

    features: pd.DataFrame
    predictions: pd.Series


def measure(
    reference: Sides,
    current: Sides,
    *,
    ignore: Sequence[str],
    threshold: float,
    sample_rows: int,
    seed: int,
    headline: Mapping[str, str],
) -> Drift:
    """Compare two sides on a seeded sample of at most `sample_rows` rows each.

    Args:
        reference: Its frame's columns are the features; the current one has them too.
        ignore: Features left out of share and drifted: their drift is expected.
        threshold: A feature has drifted when its PSI >= threshold.
        headline: Shown on top of the report: label -> value.
    """
    sides = [_sample(side, sample_rows, seed) for side in (reference, current)]
    names = list(reference.features.columns)
    empty = tuple(name for name in names if any(_values(side[name]).empty for side in sides))
    features = [name for name in names if name not in empty]
    enough_predictions = all(len(side.predictions.dropna()) >= MIN_ROWS for side in (reference, current))
    enough_rows = all(len(side.features) >= MIN_ROWS for side in (reference, current))
    if not enough_rows or not features:
        return Drift({}, None, None, (), empty, "")
    counted = [name for name in features if name not in ignore]
    others = ([PREDICTION] if enough_predictions else []) + [name for name in features if name in ignore]
    scores = {name: _psi(name, sides, threshold) for name in [*counted, *others]}
    drifted = sorted((name for name in counted if scores[name] >= threshold), key=lambda name: -scores[name])
    return Drift(
        psi={name: scores[name] for name in features},
        prediction_psi=scores.get(PREDICTION),
        share=len(drifted) / len(counted) if counted else None,
        drifted=tuple(drifted),
        empty=empty,
        html=_report(sides, counted=counted, others=others, threshold=threshold, headline=headline),
    )


def _sample(side: Sides, rows: int, seed: int) -> pd.DataFrame:
    """A frame of features beside predictions of other rows: columns are compared one by one, never across."""
    frame = side.features
    picked = frame.sample(min(rows, len(frame)), random_state=seed).sort_index().reset_index(drop=True)
    predictions = side.predictions.dropna()
    chosen = predictions.sample(min(rows, len(predictions)), random_state=seed).sort_index().reset_index(drop=True)
    return pd.concat([picked, chosen.rename(PREDICTION)], axis=1)


def _psi(name: str, sides: Sequence[pd.DataFrame], threshold: float) -> float:
    then, now = (_values(side[name]) for side in sides)
    kind = ColumnType.Numerical if _is_number(name, sides) else ColumnType.Categorical
    return float(psi_stat_test(then, now, kind, threshold).drift_score)


def _values(column: pd.Series) -> pd.Series:
    return column.replace([np.inf, -np.inf], np.nan).dropna()


def _is_number(name: str, sides: Sequence[pd.DataFrame]) -> bool:
    return all(pd.api.types.is_numeric_dtype(side[name]) for side in sides)


def _report(
    sides: Sequence[pd.DataFrame],
    *,
    counted: list[str],
    others: list[str],
    threshold: float,
    headline: Mapping[str, str],
) -> str:
    columns = [*counted, *others]
    numbers = [name for name in columns if _is_number(name, sides)]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[name for name in columns if name not in numbers]
    )
    then, now = (Dataset.from_pandas(side[columns], data_definition=definition) for side in sides)
    table = [DriftTable(columns=counted, method="psi", threshold=threshold)] if counted else []
    single = [ValueDrift(column=name, method="psi", threshold=threshold) for name in others]
    report = Report([Headline(values=dict(headline)), *table, *single])
    # Evidently computes correlations nobody asked for, and a constant column has none.
    with np.errstate(invalid="ignore", divide="ignore"):
        return str(report.run(now, then).get_html_str(as_iframe=False))


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
