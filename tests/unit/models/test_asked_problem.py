"""A version and its predictions mean something only under the problem they were made for: another one is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from tests.support import toy, toy_sql
from tests.support.command import Airloop

from airloop.config import Pipeline
from airloop.errors import ConfigError, GuardRefused
from airloop.models import asked_problem, prediction_tables
from airloop.records import Window
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import lake
from airloop.stores.append_once import append_once
from airloop.stores.mlflow import model_files

AT = datetime(2020, 1, 5, tzinfo=UTC)


def declared(settings: Settings, **prediction: Any) -> Pipeline:
    pipeline = toy.toy_pipeline(settings)
    return pipeline.model_copy(update={"prediction": pipeline.prediction.model_copy(update=prediction)})


def kept(pipeline: Pipeline) -> dict[str, bytes]:
    return {model_files.RECORD: json.dumps({asked_problem.PROBLEM: asked_problem.asked(pipeline)}).encode()}


@pytest.mark.parametrize(
    ("prediction", "says"),
    [
        ({"task": "regression"}, "trained for the task binary, and pipeline.yaml declares the task regression now"),
        (
            {"task": "multiclass", "classes": ("a", "b", "c")},
            r"declares the task multiclass, classes \['a', 'b', 'c'\] now: restore the declaration",
        ),
        ({"task": "quantiles", "quantiles": (0.1, 0.9)}, r"the task quantiles, quantiles \[0.1, 0.9\] now"),
    ],
)
def test_a_version_of_another_problem_is_refused(toy_settings: Settings, prediction: Any, says: str) -> None:
    files = kept(toy.toy_pipeline(toy_settings))
    with pytest.raises(GuardRefused, match=says):
        asked_problem.refuse_other(declared(toy_settings, **prediction), 1, files)


def test_other_classes_are_another_problem_and_their_order_too(toy_settings: Settings) -> None:
    files = kept(declared(toy_settings, task="multiclass", classes=("a", "b")))
    asked_problem.refuse_other(declared(toy_settings, task="multiclass", classes=("a", "b")), 1, files)
    for classes in (("a", "b", "c"), ("b", "a")):
        with pytest.raises(GuardRefused, match=r"classes \['a', 'b'\]"):
            asked_problem.refuse_other(declared(toy_settings, task="multiclass", classes=classes), 1, files)


def test_the_same_problem_and_a_version_of_an_older_airloop_pass(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    for files in (kept(pipeline), {}, {model_files.RECORD: b'{"snapshot": {}}'}):
        asked_problem.refuse_other(pipeline, 1, files)


@pytest.fixture
def scored(toy_settings: Settings) -> Settings:
    pipeline = toy.toy_pipeline(toy_settings)
    rows = pa.table(
        {
            "job": ["j1"],
            "decision_time": pa.array([AT], lake.INSTANT),
            "model_version": [1],
            "role": ["champion"],
            "mode": ["live"],
            "prediction": [0.25],
            "window_start": pa.array([AT], lake.INSTANT),
        }
    )
    uri, key = score.predictions_uri(pipeline, toy_settings), ("job", "decision_time", "model_version", "role", "mode")
    append_once(uri, rows, toy_settings, time_column="decision_time", key=key, window=Window(AT, AT.replace(day=6)))
    return toy_settings


def test_a_table_of_the_declared_problem_is_opened_and_one_that_is_not_there_is_none(scored: Settings) -> None:
    pipeline = toy.toy_pipeline(scored)
    uri = score.predictions_uri(pipeline, scored)
    assert prediction_tables.opened(uri, pipeline, scored) is not None
    assert prediction_tables.opened(f"{uri}/nowhere", pipeline, scored) is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "{entity_key: job",
            "{task: multiclass, classes: [a, b], entity_key: job",
            "holds double as prediction, and the task multiclass of now writes list<",
        ),
        ("{entity_key: job", "{entity_key: machine", "has no column 'machine', the entity_key of now (it has job,"),
    ],
)
def test_predictions_of_another_problem_are_one_line_with_the_way_out(
    scored: Settings, airloop: Airloop, old: str, new: str, says: str
) -> None:
    toy_sql.declare(scored, old, new)
    if "multiclass" in new:
        toy_sql.declare(
            scored, "floors: [{metric: roc_auc, at_least: 0.7}]", "floors: [{metric: accuracy, at_least: 0.7}]"
        )
        path = scored.pipelines_dir / "toy" / "pipeline.yaml"
        path.write_text(path.read_text().replace("metric: brier", "metric: log_loss"))
    pipeline = toy.toy_pipeline(scored)
    with pytest.raises(ConfigError, match="give the changed problem a pipeline of its own name"):
        prediction_tables.opened(score.predictions_uri(pipeline, scored), pipeline, scored)
    for command in (("trace", "toy", "j1"), ("predictions", "toy", "--out", str(scored.home / "p.csv"))):
        refused = airloop(*command)
        assert (refused.code, says in " ".join(refused.err.split())) == (1, True)
