"""The pictures a person looks at before trusting a model, logged to its MLflow run."""

import mlflow
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import precision_recall_curve, roc_curve

from airloop.tracking import LoadedVersion

_IMPORTANCE_ROWS = 1500
_SHOWN_FEATURES = 15


def log_plots(candidate: LoadedVersion, rows: pd.DataFrame, predicted: np.ndarray) -> None:
    """Log ROC, precision-recall, calibration and permutation importances of the holdout to the active run."""
    labels = rows["label"].to_numpy()
    if len(np.unique(labels)) == 2:
        false_positive, true_positive, _ = roc_curve(labels, predicted)
        _log(_line(false_positive, true_positive, "false positive rate", "true positive rate", "ROC, holdout"), "roc")
        precision, recall, _ = precision_recall_curve(labels, predicted)
        _log(_line(recall, precision, "recall", "precision", "Precision and recall, holdout"), "precision_recall")
    seen, said = calibration_curve(labels, predicted, n_bins=10, strategy="quantile")
    _log(
        _line(said, seen, "mean prediction", "share of positive labels", "Calibration, holdout", diagonal=True),
        "calibration",
    )
    _log(_importances(candidate, rows), "importances")


def _line(x: np.ndarray, y: np.ndarray, x_label: str, y_label: str, title: str, *, diagonal: bool = False) -> Figure:
    figure, axes = _axes(title)
    axes.plot(x, y, marker="o" if diagonal else "", color="#1f77b4")
    if diagonal:
        axes.plot([0, 1], [0, 1], linestyle=":", color="grey")
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1))
    return figure


def _importances(candidate: LoadedVersion, rows: pd.DataFrame) -> Figure:
    """Permutation importance (Breiman 2001) as the rise of the Brier score on a seeded sample of the holdout."""
    sample = rows.sample(min(_IMPORTANCE_ROWS, len(rows)), random_state=0)
    features = list(candidate.features)
    found = permutation_importance(
        candidate.model, sample[features], sample["label"], scoring="neg_brier_score", n_repeats=2, random_state=0
    )
    order = np.argsort(found.importances_mean)[-_SHOWN_FEATURES:]
    figure, axes = _axes("Rise of the Brier score when a feature is shuffled")
    axes.barh([features[i] for i in order], found.importances_mean[order], color="#1f77b4")
    return figure


def _axes(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.grid(alpha=0.3)
    return figure, axes


def _log(figure: Figure, name: str) -> None:
    mlflow.log_figure(figure, f"plots/{name}.png")
