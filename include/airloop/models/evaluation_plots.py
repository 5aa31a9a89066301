"""The pictures a person looks at before trusting a model, logged to its MLflow run."""

from collections.abc import Callable
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from airloop.config import METRICS, TaskKind
from airloop.models import evidence
from airloop.models.model_version import ModelVersion
from airloop.problems import Floats, Task

Figures = dict[str, Figure]

_IMPORTANCE_ROWS = 1500
_SHOWN_FEATURES = 15
_SHOWN_POINTS = 3000
_NAMED_CLASSES = 12
_SHOWN_SHARE = 0.005
_BLUE = "#1f77b4"


def log_pictures(task: Task, candidate: ModelVersion, rows: pd.DataFrame, predicted: Floats) -> None:
    """Log the pictures of a holdout to the active run, as plots/<name>.png; the same again replaces them."""
    for name, figure in pictures(task, candidate, rows, predicted).items():
        mlflow.log_figure(figure, f"plots/{name}.png")


def pictures(task: Task, candidate: ModelVersion, rows: pd.DataFrame, predicted: Floats) -> Figures:
    """The task's pictures of labelled rows, by name, and the importances of the candidate's features.

    Binary: roc, precision_recall, calibration. Regression: predicted_against_actual, residuals. Multiclass: confusion,
    calibration (of the predicted class). Quantiles: coverage, widths.
    Anomaly: scores, roc. What is not defined on these rows is left out.
    """
    figures = _FIGURES[task.kind](task, rows["label"].to_numpy(dtype="float64"), predicted)
    if len(rows) >= evidence.MIN_ROWS and (not task.learns_without_labels or rows["label"].nunique() > 1):
        figures["importances"] = _importances(task, candidate, rows)
    return figures


def _binary(_task: Task, labels: Floats, predicted: Floats) -> Figures:
    figures = {"calibration": _calibration(labels, predicted, "mean prediction", "share of positive labels")}
    if len(np.unique(labels)) > 1:
        false_positive, true_positive, _ = roc_curve(labels, predicted)
        figures["roc"] = _line(
            "ROC, holdout", false_positive, true_positive, words=("false positive rate", "true positive rate")
        )
        precision, recall, _ = precision_recall_curve(labels, predicted)
        figures["precision_recall"] = _line(
            "Precision and recall, holdout", recall, precision, words=("recall", "precision")
        )
    return figures


def _regression(_task: Task, labels: Floats, predicted: Floats) -> Figures:
    shown = np.random.default_rng(0).permutation(labels.size)[:_SHOWN_POINTS]
    against, axes = _axes("Predicted against actual, holdout")
    axes.scatter(labels[shown], predicted[shown], s=6, alpha=0.4, color=_BLUE)
    axes.axline((float(labels.mean()), float(labels.mean())), slope=1, linestyle=":", color="grey")
    axes.set(xlabel="actual", ylabel="predicted")
    residuals, axes = _axes("Residuals, holdout")
    axes.hist(predicted - labels, bins=50, color=_BLUE)
    axes.axvline(0, linestyle=":", color="grey")
    axes.set(xlabel="predicted - actual", ylabel="rows")
    return {"predicted_against_actual": against, "residuals": residuals}


def _quantiles(task: Task, labels: Floats, predicted: Floats) -> Figures:
    values, levels = np.asarray(predicted), np.asarray(task.levels)
    coverage = _line(
        "Coverage of the quantiles, holdout",
        levels,
        (labels[:, None] <= values).mean(axis=0),
        words=("level", "share of labels at or below"),
        diagonal=True,
    )
    widths, axes = _axes("From the lowest to the highest quantile, holdout")
    axes.hist(values[:, -1] - values[:, 0], bins=50, color=_BLUE)
    axes.set(xlabel="width", ylabel="rows")
    return {"coverage": coverage, "widths": widths}


def _anomaly(task: Task, labels: Floats, predicted: Floats) -> Figures:
    scores, axes = _axes("Share of learned rows less strange, labelled holdout rows")
    axes.hist(predicted, bins=50, color=_BLUE)
    axes.axvline(1 - task.alarm_share, linestyle=":", color="grey")
    axes.set(xlabel="score", ylabel="rows")
    if len(np.unique(labels)) < 2:
        return {"scores": scores}
    curve = _line(
        "ROC, holdout", *roc_curve(labels, predicted)[:2], words=("false positive rate", "true positive rate")
    )
    return {"scores": scores, "roc": curve}


def _multiclass(task: Task, labels: Floats, predicted: Floats) -> Figures:
    numbers, classes = range(len(task.classes)), predicted.argmax(axis=1)
    figure, axes = _axes("Share of each class's rows predicted as, holdout", named=True)
    shares = confusion_matrix(labels.astype(np.int64), classes, labels=list(numbers), normalize="true")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image)
    axes.grid(visible=False)
    axes.set(xlabel="predicted", ylabel="actual")
    axes.set_xticks(numbers, task.classes, rotation=90)
    axes.set_yticks(numbers, task.classes)
    if len(task.classes) <= _NAMED_CLASSES:
        for actual, other in np.argwhere(shares >= _SHOWN_SHARE):
            share = shares[actual, other]
            color = "white" if share > 0.5 else "black"
            axes.text(other, actual, f"{share:.2f}", ha="center", va="center", fontsize=8, color=color)
    hits = (classes == labels).astype(np.float64)
    calibration = _calibration(hits, predicted.max(axis=1), "mean confidence", "share of right predictions")
    return {"confusion": figure, "calibration": calibration}


_FIGURES: dict[TaskKind, Callable[[Task, Floats, Floats], Figures]] = {
    "binary": _binary,
    "regression": _regression,
    "multiclass": _multiclass,
    "quantiles": _quantiles,
    "anomaly": _anomaly,
}


def _calibration(came: Floats, predicted: Floats, *words: str) -> Figure:
    observed, mean = calibration_curve(came, predicted, n_bins=10, strategy="quantile")
    return _line("Calibration, holdout", mean, observed, words=words, diagonal=True)


def _line(title: str, x: Floats, y: Floats, *, words: tuple[str, ...], diagonal: bool = False) -> Figure:
    figure, axes = _axes(title)
    axes.plot(x, y, marker="o" if diagonal else "", color=_BLUE)
    if diagonal:
        axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.set(xlabel=words[0], ylabel=words[1], xlim=(0, 1), ylim=(0, 1))
    return figure


def _importances(task: Task, candidate: ModelVersion, rows: pd.DataFrame) -> Figure:
    """Permutation importance (Breiman 2001) as the rise of the task's loss on a seeded sample of the holdout."""
    sample = rows.sample(min(_IMPORTANCE_ROWS, len(rows)), random_state=0)
    features, loss = list(candidate.features), task.metrics[0]

    def score(model: Any, frame: pd.DataFrame, labels: pd.Series) -> float:
        return METRICS[loss].sign * evidence.metric_value(loss, labels, task.predict(model, frame))

    permuted = permutation_importance(
        candidate.model, sample[features], sample["label"], scoring=score, n_repeats=2, random_state=0
    )
    order = np.argsort(permuted.importances_mean)[-_SHOWN_FEATURES:]
    figure, axes = _axes(f"Rise of the {METRICS[loss].title} when a feature is shuffled", named=True)
    axes.barh([features[i] for i in order], permuted.importances_mean[order], color=_BLUE)
    return figure


def _axes(title: str, *, named: bool = False) -> tuple[Figure, Axes]:
    """A figure; `named` where names stand beside the axes, whose room is measured, as slowly as it is drawn."""
    figure = Figure(figsize=(6, 5), layout="constrained" if named else None)
    axes = figure.subplots(gridspec_kw=None if named else {"left": 0.17, "right": 0.95})
    axes.set_title(title)
    axes.grid(alpha=0.3)
    return figure, axes
