"""The toy with other tasks: how many minutes a job takes (a value, quantiles), which of three ends it has (classes).

The value is learned by LightGBM, the classes by XGBoost, whose models are kept in formats of their own.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.support import toy

from airloop.settings import Settings

CLASSES = ("done", "slow", "failed")


@dataclass(frozen=True)
class Variant:
    """What a task changes in the toy's declaration; `outcome` is the column that its outcome feed brings."""

    task: str
    outcome: str
    label: str
    metric: str
    floors: str
    candidates: str
    rules: str = "rules: []"
    history: str = ""


VARIANTS = {
    "regression": Variant(
        task="task: regression",
        outcome="minutes: float",
        label="minutes",
        metric="mae",
        floors="{metric: mae, at_most: 6.0}, {metric: rmse, at_most: 7.5}",
        candidates='boosting: {estimator: "lightgbm:LGBMRegressor", encoder: ordinal, '
        "params: {n_estimators: 40}, search: {num_leaves: [4, 8]}}",
    ),
    "quantiles": Variant(
        task="task: quantiles, quantiles: [0.1, 0.5, 0.9]",
        outcome="minutes: float",
        label="minutes",
        metric="pinball",
        floors="{metric: pinball, at_most: 1.6}",
        candidates='linear: {estimator: "sklearn.linear_model:QuantileRegressor", encoder: one_hot, '
        "params: {alpha: 0.001}}, "
        'boosting: {estimator: "sklearn.ensemble:HistGradientBoostingRegressor", encoder: ordinal, '
        "params: {early_stopping: false, max_iter: 20}, search: {max_leaf_nodes: [4, 8]}}",
        rules="rules: [{kind: coverage, at_most: 0.1}]",
        history=", history_days: 17",  # rows from before a turn widen every interval, and coverage refuses them
    ),
    "multiclass": Variant(
        task=f"task: multiclass, classes: [{', '.join(CLASSES)}]",
        outcome="ending: string",
        label=f"list_position({list(CLASSES)}, ending) - 1",
        metric="log_loss",
        floors="{metric: log_loss, at_most: 0.95}, {metric: accuracy, at_least: 0.5}",
        candidates='boosting: {estimator: "xgboost:XGBClassifier", encoder: ordinal, '
        "params: {n_estimators: 30, learning_rate: 0.2}, search: {max_depth: [2, 3]}}",
    ),
}


def write_project(root: Path, repository: Path, kind: str, candidates: str = "") -> Settings:
    """The toy's checkout with the declaration of another task, and 91 days of coverage.

    Args:
        candidates: In place of the variant's own.
    """
    settings = toy.write_project(root, repository)
    variant = VARIANTS[kind]
    declared = toy.PIPELINE[: toy.PIPELINE.index("   candidates:")]
    rest = toy.PIPELINE[toy.PIPELINE.index("gate:") :].replace("{metric: roc_auc, at_least: 0.7}", variant.floors)
    text = f"{declared}   candidates: {{{candidates or variant.candidates}}}}}\n{rest}"
    for old, new in {
        "end: 2020-03-01": "end: 2020-04-01",
        "failed: boolean": variant.outcome,
        "label_delay_hours: 24": f"label_delay_hours: 24, {variant.task}",
        "metric: brier": f"metric: {variant.metric}",
        "holdout_days: 15": f"holdout_days: 15{variant.history}",
        "gate:": f"gate:\n  {variant.rules}",
        "margin_share: 0.0": "margin_share: 0.02",
    }.items():
        text = text.replace(old, new)
    folder = settings.pipelines_dir / "toy"
    (folder / "pipeline.yaml").write_text(text)
    sql = toy.FEATURES_SQL.replace("failed::DOUBLE", f"({variant.label})::DOUBLE")
    (folder / "features.sql").write_text(sql)
    return settings


def land(settings: Settings, kind: str, *, days: range, shuffled: bool = False, shift: float = 0.0) -> None:
    """The toy's inputs, and outcomes of this task: hot machines and large jobs take longer, and end badly.

    Args:
        shuffled: Outcomes are those of other jobs of the day.
        shift: Degrees the machines bear more: a model of before is then wrong.
    """
    toy.land(settings, days=days, outcomes=False)
    header = f"job,ended_at,{VARIANTS[kind].outcome.partition(':')[0]}"
    for day in days:
        date = toy.START + timedelta(days=day)
        draw = random.Random(day)
        jobs = [
            (job, _outcome(kind, _strain(job, day, shift), draw))
            for job in toy._jobs(date, day, [f"m{number}" for number in range(5)], shuffled=False, shift=0.0)
        ]
        outcomes = [outcome for _, outcome in jobs]
        if shuffled:
            draw.shuffle(outcomes)
        rows = [f"{job['job']},{job['ended']},{outcome}" for (job, _), outcome in zip(jobs, outcomes, strict=True)]
        toy._write(Path(settings.landing_uri) / "toy" / "failures" / f"{date:%Y-%m-%d}.csv", header, rows)


def _strain(job: dict[str, object], day: int, shift: float) -> float:
    number = int(str(job["job"]).partition("-")[2])
    hour, machine = (120 + 20 * number - 31) // 60, int(str(job["machine"])[1:])
    return (toy._celsius(day, hour, machine) - 50 - shift) / 8 + (float(str(job["size"])) - 50) / 25


def _outcome(kind: str, strain: float, draw: random.Random) -> str:
    if kind in ("regression", "quantiles"):
        return f"{30 + 4 * strain + draw.gauss(0, 2):.3f}"
    weights = [2.718281828 ** (strain * weight) for weight in (-1.5, 0.0, 1.5)]
    return draw.choices(CLASSES, weights)[0]
