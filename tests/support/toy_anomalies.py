"""The toy as a search for anomalies: one job of fifty is far larger than any other, and rarely does anyone say so."""

import random
from datetime import timedelta
from pathlib import Path

from tests.support import toy

from airloop.settings import Settings

STRANGE = 0.02
_CANDIDATES = (
    '{forest: {estimator: "sklearn.ensemble:IsolationForest", encoder: ordinal, params: {n_estimators: 40}, '
    "search: {max_features: [0.7, 1.0]}}}}"
)
_RULES = "{kind: alarm_budget, at_most: 0.05}, {kind: stability, at_least: 0.5}"
NO_LABELS = "SELECT job, NULL::DOUBLE AS label, known_at FROM jobs WHERE false"


def write_project(root: Path, repository: Path, *, labelled: bool, rules: str = _RULES) -> Settings:
    """The toy's checkout as a task `anomaly`; without `labelled` no feed brings an outcome."""
    settings = toy.write_project(root, repository)
    declared = toy.PIPELINE[: toy.PIPELINE.index("   candidates:")]
    rest = toy.PIPELINE[toy.PIPELINE.index("gate:") :]
    text = f"{declared}   candidates: {_CANDIDATES}\n{rest}"
    for old, new in {
        "label_delay_hours: 24": "label_delay_hours: 24, task: anomaly, alarm_share: 0.03",
        "metric: brier": "metric: ranking_loss",
        "{metric: roc_auc, at_least: 0.7}": "{metric: ranking_loss, at_most: 0.1}",
        "gate:": f"gate:\n  rules: [{rules}]",
    }.items():
        text = text.replace(old, new)
    sql = toy.FEATURES_SQL
    expectations = toy.EXPECTATIONS
    if not labelled:
        feed = text[text.index("  failures:\n") : text.index("prediction:")]
        text, sql = (
            text.replace(feed, ""),
            sql.replace("SELECT job, failed::DOUBLE AS label, known_at FROM failures", NO_LABELS),
        )
        rule = expectations[expectations.index("  failures:\n") : expectations.index("features:")]
        expectations = expectations.replace(rule, "")
    folder = settings.pipelines_dir / "toy"
    (folder / "pipeline.yaml").write_text(text)
    (folder / "features.sql").write_text(sql)
    (folder / "expectations.yaml").write_text(expectations)
    return settings


def land(settings: Settings, *, days: range, labelled: bool, strange: float = STRANGE, turned: bool = False) -> None:
    """The toy's inputs, in which jobs of size 500 and more are the anomalies.

    Args:
        strange: How many of the jobs are.
        turned: Labels are those of other jobs of the day.
    """
    toy.land(settings, days=days, outcomes=False)
    root = Path(settings.landing_uri) / "toy"
    for day in days:
        draw = random.Random(1000 + day)
        name = f"{toy.START + timedelta(days=day):%Y-%m-%d}.csv"
        header, *lines = (root / "jobs" / name).read_text().splitlines()
        rows = [line.split(",") for line in lines]
        for row in rows:
            if draw.random() < strange:
                row[4] = str(draw.randrange(500, 900))
        (root / "jobs" / name).write_text("\n".join([header, *map(",".join, rows)]) + "\n")
        if labelled:
            labels = [str(int(row[4]) >= 500).lower() for row in rows]
            if turned:
                draw.shuffle(labels)
            ended = f"{toy.START + timedelta(days=day, hours=23):%Y-%m-%dT%H:%M:%SZ}"
            outcomes = [f"{row[0]},{ended},{label}" for row, label in zip(rows, labels, strict=True)]
            toy._write(root / "failures" / name, "job,ended_at,failed", outcomes)
