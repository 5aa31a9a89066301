"""A small pipeline with known answers: jobs fail when their machine runs hot. Generated, not real data."""

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.records import Record, Window
from airloop.run import stage_run
from airloop.settings import Settings, load_settings

START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = 60
ROWS_A_DAY = 60

PIPELINE = """
name: toy
owner: tests
description: Will a job fail? Asked 30 minutes before it starts.
tags: [test]
coverage: {start: 2020-01-01, end: 2020-03-01}
calendar: daily
feeds:
  jobs:
    {files: "{day}.csv", key: [job], event_time: planned_at, delay_minutes: 0,
     columns: {job: string, machine: string, planned_at: timestamp, starts_at: timestamp, size: integer}}
  heat:
    {files: "{day}.csv", key: [machine, measured_at], event_time: measured_at, delay_minutes: 1,
     columns: {machine: string, measured_at: timestamp, celsius: float}}
  machines: {files: machines.csv, key: [machine], columns: {machine: string, built: integer}}
  failures:
    {files: "{day}.csv", key: [job], event_time: ended_at, delay_minutes: 1, outcome: true,
     columns: {job: string, ended_at: timestamp, failed: boolean}}
prediction: {entity_key: job, lead_minutes: 30, label_delay_hours: 24}
features: {service: toy_v1, lookback_days: 3}
validation: {max_bad_share: 0.05}
training:
  {holdout_days: 15, embargo_days: 1, metric: brier, seed: 7, min_train_rows: 100, leak_check_times: 2,
   budget: {trials: 2, folds: 2, rows: 5000, seconds: 3600},
   candidates: {logistic_regression: {estimator: "sklearn.linear_model:LogisticRegression", encoder: one_hot, params: {max_iter: 200},
                                      search: {C: {low: 0.01, high: 10.0, log: true}}},
                gradient_boosting: {estimator: "sklearn.ensemble:HistGradientBoostingClassifier", encoder: ordinal,
                                    params: {early_stopping: false, max_iter: 20}, search: {max_leaf_nodes: [4, 8]}}}}
gate:
  floors: [{metric: roc_auc, at_least: 0.7}]
  compare: {metric: brier, confidence: 0.95, resamples: 200, min_blocks: 14, rule: {probe: non_inferior, default: superior}}
monitoring:
  {sample_rows: 500, psi_threshold: 0.2,
   policy: {metric: brier, margin_share: 0.0, confidence: 0.9, k: 1, n: 1, min_rows: 20, min_blocks: 14, cool_down_days: 0}}
"""

FEATURES_SQL = """
-- view: job_static
SELECT job, size AS job_size, machine AS machine_code, known_at, created_at FROM jobs;

-- view: machine_heat
SELECT machine, celsius, known_at, created_at FROM heat;

-- examples
SELECT job, machine, starts_at - to_minutes(getvariable('lead_minutes')) AS decision_time FROM jobs;

-- labels
SELECT job, failed::DOUBLE AS label, known_at FROM failures;
"""

EXPECTATIONS = """
raw:
  jobs:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: job}, severity: critical}
    - {type: expect_column_values_to_not_be_null, kwargs: {column: size}, severity: critical}
    - {type: expect_column_values_to_be_between, kwargs: {column: size, min_value: 0, max_value: 1000}, severity: critical}
  heat:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: machine}, severity: critical}
  machines:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: machine}, severity: critical}
  failures:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: job}, severity: critical}
features:
  job_static:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: job}, severity: critical}
  machine_heat:
    - {type: expect_column_values_to_not_be_null, kwargs: {column: machine}, severity: critical}
"""

DEFINITIONS = """
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

job = Entity(name="job", join_keys=["job"], value_type=ValueType.STRING)
machine = Entity(name="machine", join_keys=["machine"], value_type=ValueType.STRING)


def view(name, key, ttl, fields):
    source = FileSource(name=name + "_source", path="toy/features/" + name, file_format=DeltaFormat(),
                        timestamp_field="known_at", created_timestamp_column="created_at")
    return FeatureView(name=name, entities=[key], ttl=ttl, source=source,
                       schema=[Field(name=key.join_key, dtype=String), *fields])


job_static = view("job_static", job, timedelta(days=2),
                  [Field(name="machine_code", dtype=String), Field(name="job_size", dtype=Float64)])
machine_heat = view("machine_heat", machine, timedelta(hours=3), [Field(name="celsius", dtype=Float64)])
toy_v1 = FeatureService(name="toy_v1", features=[job_static, machine_heat])
"""


def write_project(root: Path, repository: Path) -> Settings:
    """A checkout with the toy pipeline alone; `repository` lends its feature_store.yaml."""
    folder = root / "include" / "pipelines" / "toy"
    folder.mkdir(parents=True)
    (root / "feature_repo").mkdir()
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "features.sql").write_text(FEATURES_SQL)
    (folder / "expectations.yaml").write_text(EXPECTATIONS)
    (root / "feature_repo" / "toy.py").write_text(DEFINITIONS)
    text = (repository / "feature_repo" / "feature_store.yaml").read_text()
    (root / "feature_repo" / "feature_store.yaml").write_text(text)
    return load_settings(project_dir=root, home=root / "home")


def copied(settings: Settings, root: Path) -> Settings:
    """A checkout and a home like these, which go their own way; the files of models registered before are shared."""
    shutil.copytree(settings.project_dir, root, ignore=shutil.ignore_patterns("__pycache__", "mlartifacts"))
    return load_settings(project_dir=root, home=root / "home")


def edited(settings: Settings, root: Path, file: str, old: str, new: str) -> Settings:
    """The same home seen from another checkout below `root`, in which a text of `pipelines/toy` or toy.py differs."""
    for folder in ("include", "feature_repo"):
        shutil.copytree(settings.project_dir / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = root / ("feature_repo" if file == "toy.py" else "include/pipelines/toy") / file
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"{file} holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))
    return settings.model_copy(update={"project_dir": root})


def nothing_online(settings: Settings, folder: Path) -> Settings:
    """The same features with an empty online store, registry and state below a folder."""
    update = {
        "online_store": {"type": "sqlite", "path": f"{folder}/online.db"},
        "feast_registry_url": f"sqlite:///{folder}/registry.db",
        "state_url": f"sqlite:///{folder}/state.db",
    }
    return settings.model_copy(update=update)


def land(
    settings: Settings, *, days: range = range(DAYS), outcomes: bool = True, shuffled: bool = False, shift: float = 0.0
) -> None:
    """Write the feeds' files of these days. A job fails more often the hotter its machine is and the larger it is.

    Args:
        shuffled: Outcomes are drawn without looking at the features.
        shift: Degrees the point of failure moves up: a model of before is then wrong.
    """
    root = Path(settings.landing_uri) / "toy"
    machines = [f"m{number}" for number in range(5)]
    _write(
        root / "machines" / "machines.csv", "machine,built", [f"{name},{2000 + i}" for i, name in enumerate(machines)]
    )
    for day in days:
        date = START + timedelta(days=day)
        jobs, heat, failures = [], [], []
        for row in _jobs(date, day, machines, shuffled=shuffled, shift=shift):
            jobs.append(f"{row['job']},{row['machine']},{row['planned']},{row['starts']},{row['size']}")
            failures.append(f"{row['job']},{row['ended']},{row['failed']}")
        for hour in range(24):
            for index, machine in enumerate(machines):
                heat.append(f"{machine},{text(date + timedelta(hours=hour))},{_celsius(day, hour, index):.2f}")
        name = f"{date:%Y-%m-%d}.csv"
        _write(root / "jobs" / name, "job,machine,planned_at,starts_at,size", jobs)
        _write(root / "heat" / name, "machine,measured_at,celsius", heat)
        if outcomes:
            _write(root / "failures" / name, "job,ended_at,failed", failures)


def _jobs(
    date: datetime, day: int, machines: list[str], *, shuffled: bool, shift: float
) -> Iterator[dict[str, object]]:
    draw = random.Random(day)
    for number in range(ROWS_A_DAY):
        index, minute = draw.randrange(len(machines)), 120 + 20 * number
        starts, size = date + timedelta(minutes=minute), draw.randrange(0, 100)
        risk = (_celsius(day, (minute - 31) // 60, index) - 50 - shift) / 8 + (size - 50) / 25
        failed = draw.random() < (0.5 if shuffled else 1 / (1 + 2.718281828 ** (-risk)))
        yield {
            "job": f"j{day:03d}-{number:03d}",
            "machine": machines[index],
            "planned": text(date),
            "starts": text(starts),
            "size": size,
            "ended": text(min(starts + timedelta(minutes=5), date + timedelta(hours=23, minutes=58))),
            "failed": str(failed).lower(),
        }


def _celsius(day: int, hour: int, machine: int) -> float:
    return 50 + 25 * random.Random(day * 1000 + hour * 10 + machine).uniform(-1, 1)


def text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _write(path: Path, header: str, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def days(first: int, end: int) -> Window:
    """The window of days [first, end) of the toy's data time."""
    return Window(START + timedelta(days=first), START + timedelta(days=end))


def toy_pipeline(settings: Settings) -> Pipeline:
    return load_pipeline("toy", settings)


def run(stage: str, settings: Settings, window: Window, **options: object) -> Record:
    """Run a stage on the stored records of its window, as the CLI does."""
    pipeline = toy_pipeline(settings)
    upstream = stage_run.stored_upstream(stage, Deployment(pipeline, settings), window)
    return stage_run.run_stage(stage, Deployment(pipeline, settings), window, upstream=upstream, **options)


def run_data(settings: Settings, window: Window) -> None:
    """ingest to validate_features; materialize is left to its own tests."""
    for stage in ("ingest", "validate_raw", "build_features", "validate_features"):
        run(stage, settings, window)


def run_training(settings: Settings, cutoff_day: int, *, reason: str = "hand", reason_key: str = "") -> Record:
    """snapshot to decide with the cutoff at the start of a day; returns the decision."""
    window = days(0, cutoff_day)
    run("snapshot", settings, window, reason=reason, reason_key=reason_key)
    for candidate in toy_pipeline(settings).training.candidates:
        run("tune", settings, window, candidate=candidate)
    for stage in ("train", "evaluate"):
        run(stage, settings, window)
    return run("decide", settings, window)
