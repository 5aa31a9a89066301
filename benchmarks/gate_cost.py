"""What the gate measures and judges, with every rule on, against scoring the same holdout plainly with both models."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
from sklearn.metrics import brier_score_loss, roc_auc_score

from airloop.config import Pipeline
from airloop.config.gate_rules import RuleDeclaration
from airloop.errors import DataContractError
from airloop.features.examples import feature_frame
from airloop.models import evidence, gate_evidence, rules_measured
from airloop.models.estimators import feature_columns, fitted_model
from airloop.models.holdout import JudgedModel, holdout_of
from airloop.models.metric_values import metric_values
from airloop.models.reserve import ReserveRows
from airloop.problems import Floats, task_of
from benchmarks.flights import Flights
from benchmarks.row import Row, Trial, interleaved
from benchmarks.session import Session

NAME = "the gate's evidence with every rule on / scoring the holdout with both models"
BOUND = 3.0
UNIT = "s"

RULES: tuple[dict[str, Any], ...] = (
    {"kind": "slices", "columns": ["carrier_code", "origin_airport"], "min_rows": 300},
    {"kind": "fairness", "column": "origin_airport", "at_most": 0.5},
    {"kind": "calibration", "at_most": 0.2},
    {"kind": "cost", "false_positive": 1, "false_negative": 4, "margin_share": 1.0},
    {"kind": "behaviour", "direction": [{"column": "origin_late_2h", "add": 0.2, "expect": "not_lower", "share": 0.1}]},
    {"kind": "latency", "milliseconds": 1000, "megabytes": 500},
    {"kind": "forgetting", "margin_share": 0.5, "min_days": 5},
    {"kind": "sanity", "low": 0.0, "high": 1.0},
)
"""Every rule of a binary task's holdout, each so wide that it passes: what is timed is the measurement."""

_CHAMPION, _CANDIDATE = "logistic_regression", "gradient_boosting"
_PARAMS: dict[str, dict[str, Any]] = {
    _CHAMPION: {"C": 0.1},
    _CANDIDATE: {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 100},
}
_RESERVED_EVERY = 6
"""Days of the past that stand in for reserve days: two months hold too few of every tenth."""


def measure(session: Session) -> Row:
    """Both sides predict with the same two models, and have to come to the same metrics."""
    case = Case(session.flights)
    judged, plain = case.judged(), case.scored()
    if any(abs(judged[name] - plain[name]) > 1e-9 for name in plain):
        raise DataContractError(f"the gate measured {judged}, plain scoring {plain}")

    def ours() -> Trial:
        return case.judged

    def peer() -> Trial:
        return case.scored

    gate = case.pipeline.gate
    note = (
        f"{len(case.rows):,} flights of {case.pipeline.training.holdout_days} days, a logistic regression against "
        f"trees: {len(RULES)} rules, {gate.compare.resamples} draws of days. The peer predicts with both and takes "
        "scikit-learn's ROC-AUC and Brier score"
    )
    return Row(NAME, *interleaved(ours, peer), bound=BOUND, unit=UNIT, note=note)


class Case:
    """A holdout of flights, and two models that have not seen it."""

    def __init__(self, flights: Flights) -> None:
        """Fit both on the two first months, without the holdout."""
        declared = tuple(RuleDeclaration.model_validate(rule) for rule in RULES)
        pipeline = flights.pipeline
        self.pipeline = pipeline.model_copy(update={"gate": pipeline.gate.model_copy(update={"rules": declared})})
        rows = _labelled(self.pipeline, flights)
        start = rows["decision_time"].max() - timedelta(days=pipeline.training.holdout_days)
        self.rows = rows[rows["decision_time"] >= start].reset_index(drop=True)
        past = rows[rows["decision_time"] < start].reset_index(drop=True)
        is_reserve = evidence.utc_days(past["decision_time"]) % _RESERVED_EVERY == 0
        self.reserve, learned = past[is_reserve].reset_index(drop=True), past[~is_reserve].reset_index(drop=True)
        self.features = feature_columns(self.pipeline, rows)
        self.models = {name: fitted_model(self.pipeline, name, params, learned) for name, params in _PARAMS.items()}

    def says(self, candidate: str, rows: pd.DataFrame) -> Floats:
        """A model's predictions."""
        return task_of(self.pipeline).predict(self.models[candidate], rows[self.features])

    def judged(self) -> dict[str, float]:
        """As evaluate works: metrics of both, evidence on each metric, what each rule measures; the metrics.

        Raises:
            DataContractError: A rule or the evidence could not be measured, so that its cost would be missing.
        """
        champion, candidate = self.says(_CHAMPION, self.rows), self.says(_CANDIDATE, self.rows)
        _, problems = gate_evidence.compare(self.pipeline, self.rows, champion, candidate)
        model = JudgedModel(candidate, lambda rows: self.says(_CANDIDATE, rows), tuple(self.features), 1_000_000)
        holdout = replace(holdout_of(self.pipeline, self.rows, model, champion), reserve=self._kept_back)
        measured = rules_measured.measure_rules(self.pipeline, holdout)
        failed = [
            f"{key}: {content[rules_measured.ERROR]}"
            for key, content in measured.items()
            if rules_measured.ERROR in content
        ]
        if problems or failed:
            raise DataContractError("; ".join([*problems, *failed]))
        task = task_of(self.pipeline)
        both = [metric_values(task, self.rows["label"], content) for content in (champion, candidate)]
        return {name: float(both[1][name] or 0.0) for name in ("roc_auc", "brier")}

    def scored(self) -> dict[str, float]:
        """Plain scoring; the candidate's metrics."""
        labels = self.rows["label"]
        both = [self.says(name, self.rows) for name in (_CHAMPION, _CANDIDATE)]
        metrics = [{"roc_auc": roc_auc_score(labels, p), "brier": brier_score_loss(labels, p)} for p in both]
        return metrics[1]

    def _kept_back(self) -> ReserveRows:
        rows = self.reserve
        sides = (self.says(_CHAMPION, rows), self.says(_CANDIDATE, rows))
        labels = rows["label"].to_numpy(dtype="float64")
        return ReserveRows(labels, evidence.utc_days(rows["decision_time"]), *sides, champion_kept_back=True)


def _labelled(pipeline: Pipeline, flights: Flights) -> pd.DataFrame:
    frame = pd.concat([feature_frame(pipeline, window, flights.settings) for window in flights.windows[:2]])
    return frame.dropna(subset=["label"]).sort_values("decision_time").reset_index(drop=True)
