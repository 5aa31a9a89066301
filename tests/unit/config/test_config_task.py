"""The task of a declaration: its classes, its metrics and which way a floor points are checked with file and key."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from tests.support import toy, toy_tasks

from airloop.config import METRICS, Pipeline, TaskKind, load_pipeline, metrics_of
from airloop.errors import ConfigError
from airloop.settings import Settings


def declaration(kind: str, tmp_path: Path) -> dict[str, Any]:
    if kind == "binary":
        return dict(yaml.safe_load(toy.PIPELINE))
    settings = toy_tasks.write_project(tmp_path / "variant", Settings().project_dir, kind)
    return dict(yaml.safe_load((settings.pipelines_dir / "toy" / "pipeline.yaml").read_text()))


def loaded(settings: Settings, data: dict[str, Any]) -> Pipeline:
    (settings.pipelines_dir / "toy" / "pipeline.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return load_pipeline("toy", settings)


def refusal(settings: Settings, data: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        loaded(settings, data)
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    return re.sub(rf"{re.escape(str(path))}(:\d+)?: ", "", str(refused.value))


def changed(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    node: Any = data
    *place, last = (int(part) if part.isdigit() else part for part in key.split("."))
    for part in place:
        node = node[part]
    node[last] = value
    return data


def test_a_pipeline_that_names_no_task_is_binary(toy_settings: Settings) -> None:
    assert (toy.toy_pipeline(toy_settings).prediction.task, toy.toy_pipeline(toy_settings).prediction.classes) == (
        "binary",
        (),
    )


@pytest.mark.parametrize(("kind", "classes"), [("regression", ()), ("multiclass", toy_tasks.CLASSES)])
def test_other_tasks_load_with_their_classes(toy_settings: Settings, tmp_path: Path, kind: str, classes: Any) -> None:
    prediction = loaded(toy_settings, declaration(kind, tmp_path)).prediction
    assert (prediction.task, prediction.classes) == (kind, classes)


@pytest.mark.parametrize(
    ("kind", "classes", "says"),
    [
        ("multiclass", [], "prediction: Value error, classes: a multiclass task names at least 2 classes, each once"),
        ("multiclass", ["one"], "at least 2 classes"),
        ("multiclass", ["one", "two", "one"], "each once"),
        ("multiclass", ["one", 2], "prediction.classes.1: Input should be a valid string (got 2)"),
        ("multiclass", ["one", ""], "prediction.classes.1: String should have at least 1 character"),
        ("regression", ["one", "two"], "classes: only a multiclass task has classes, and this one is regression"),
        ("binary", ["no", "yes"], "classes: only a multiclass task has classes, and this one is binary"),
    ],
)
def test_classes_that_do_not_fit_the_task_are_refused(
    toy_settings: Settings, tmp_path: Path, kind: str, classes: Any, says: str
) -> None:
    data = changed(declaration(kind, tmp_path), "prediction.classes", classes)
    assert says in refusal(toy_settings, data)


def test_an_unknown_task_is_refused(toy_settings: Settings, tmp_path: Path) -> None:
    data = changed(declaration("binary", tmp_path), "prediction.task", "ranking")
    kinds = "'binary', 'regression', 'multiclass', 'quantiles' or 'anomaly'"
    assert f"prediction.task: Input should be {kinds} (got 'ranking')" in refusal(toy_settings, data)


@pytest.mark.parametrize(
    "key", ["training.metric", "gate.compare.metric", "monitoring.policy.metric", "gate.floors.0.metric"]
)
@pytest.mark.parametrize(
    ("kind", "metric", "valid"),
    [
        ("binary", "mae", "'brier', 'roc_auc'"),
        ("regression", "brier", "'mae', 'rmse'"),
        ("multiclass", "rmse", "'log_loss', 'accuracy'"),
    ],
)
def test_a_metric_of_another_task_is_refused_with_its_key_and_the_valid_ones(
    toy_settings: Settings, tmp_path: Path, key: str, kind: str, metric: str, valid: str
) -> None:
    data = changed(declaration(kind, tmp_path), key, metric)
    if key.endswith("0.metric"):
        data["gate"]["floors"][0] = {"metric": metric, "at_most": 1.0}
    assert refusal(toy_settings, data) == f"{key}: '{metric}' is not a metric of a {kind} task (valid: {valid})"


@pytest.mark.parametrize(
    ("kind", "floor", "says"),
    [
        ("regression", {"metric": "mae", "at_least": 1.0}, "a floor on mae is an at_most"),
        ("binary", {"metric": "brier", "at_least": 0.2}, "a floor on brier is an at_most"),
        ("multiclass", {"metric": "accuracy", "at_most": 0.9}, "a floor on accuracy is an at_least"),
    ],
)
def test_a_floor_that_only_bad_models_pass_is_refused(
    toy_settings: Settings, tmp_path: Path, kind: str, floor: dict[str, Any], says: str
) -> None:
    data = changed(declaration(kind, tmp_path), "gate.floors.0", floor)
    assert says in refusal(toy_settings, data)


def test_every_metric_has_one_task_and_the_first_of_a_task_is_a_loss() -> None:
    assert {kind: metrics_of(kind) for kind in get_args(TaskKind)} == {
        "binary": ("brier", "roc_auc"),
        "regression": ("mae", "rmse"),
        "multiclass": ("log_loss", "accuracy"),
        "quantiles": ("pinball",),
        "anomaly": ("ranking_loss",),
    }
    assert {name for name, metric in METRICS.items() if metric.sign < 0} == {
        *("brier", "mae", "rmse", "log_loss", "pinball", "ranking_loss")
    }
