"""Drift, measured and drawn by Evidently: how far rows of now are from rows of then, one PSI per column.

PSI (population stability index): sum over bins of (then - now) * ln(then / now); 0 is no difference, above 0.1 is
usually called drift. Evidently bins numbers by equal width over both sides, and leaves missing values out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.container import MetricContainer, MetricOrContainer
from evidently.core.metric_types import MetricId
from evidently.core.report import Context
from evidently.legacy.model.widget import BaseWidgetInfo
from evidently.legacy.renderers.html_widgets import CounterData, counter
from evidently.metrics import ValueDrift
from evidently.presets import DataDriftPreset

PREDICTION = "prediction"
MIN_ROWS = 100
"""Below it on either side a PSI is noise: its expectation without any drift is about (bins - 1) * (1/n + 1/m)."""

_COUNTERS_A_ROW = 3


@dataclass(frozen=True)
class Drift:
    """What changed between reference and current rows.

    Attributes:
        psi: Column -> score, of every feature that has values on both sides.
        prediction_psi: Score of the predictions; None with fewer than MIN_ROWS on a side.
        share: Drifted share of the features that count; None when there is none.
        drifted: Features that count whose score is >= the threshold, largest score first.
        empty: Features without any value on a side: no drift can be computed, which is a matter of quality.
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
    """The rows of one side: features as a frame, predictions (probabilities) of possibly other rows."""

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
    names = list(reference.features.columns)
    empty = tuple(n for n in names if reference.features[n].isna().all() or current.features[n].isna().all())
    features = [name for name in names if name not in empty]
    sides = [_sample(side, features, sample_rows, seed) for side in (reference, current)]
    enough_predictions = all(len(side.predictions.dropna()) >= MIN_ROWS for side in (reference, current))
    enough_rows = all(len(side.features) >= MIN_ROWS for side in (reference, current))
    if not enough_rows or not features:
        return Drift({}, None, None, (), empty, "")
    counted = [name for name in features if name not in ignore]
    others = ([PREDICTION] if enough_predictions else []) + [name for name in features if name in ignore]
    scores, html = _evidently(sides, counted=counted, others=others, threshold=threshold, headline=headline)
    drifted = sorted((name for name in counted if scores[name] >= threshold), key=lambda name: -scores[name])
    return Drift(
        psi={name: scores[name] for name in features},
        prediction_psi=scores.get(PREDICTION),
        share=len(drifted) / len(counted) if counted else None,
        drifted=tuple(drifted),
        empty=empty,
        html=html,
    )


def _sample(side: Sides, features: list[str], rows: int, seed: int) -> pd.DataFrame:
    """A frame of features beside predictions of other rows: columns are compared one by one, never across."""
    frame = side.features[features]
    picked = frame.sample(min(rows, len(frame)), random_state=seed).sort_index().reset_index(drop=True)
    predictions = side.predictions.dropna()
    chosen = predictions.sample(min(rows, len(predictions)), random_state=seed).sort_index().reset_index(drop=True)
    return pd.concat([picked, chosen.rename(PREDICTION)], axis=1)


def _evidently(
    sides: Sequence[pd.DataFrame],
    *,
    counted: list[str],
    others: list[str],
    threshold: float,
    headline: Mapping[str, str],
) -> tuple[dict[str, float], str]:
    columns = [*counted, *others]
    numbers = [name for name in columns if all(pd.api.types.is_numeric_dtype(side[name]) for side in sides)]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[name for name in columns if name not in numbers]
    )
    then, now = (Dataset.from_pandas(side[columns], data_definition=definition) for side in sides)
    preset = [DataDriftPreset(columns=counted, method="psi", threshold=threshold)] if counted else []
    single = [ValueDrift(column=name, method="psi", threshold=threshold) for name in others]
    report = Report([Headline(values=dict(headline)), *preset, *single])
    snapshot = report.run(now, then)
    scores = {
        metric["config"]["column"]: float(metric["value"])
        for metric in snapshot.dict()["metrics"]
        if metric["config"]["type"].endswith(":ValueDrift")
    }
    return scores, snapshot.get_html_str(as_iframe=False)


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
