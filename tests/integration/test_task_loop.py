"""Every stage on pipelines of other tasks than a binary one, with known answers: truth passes, noise does not."""

from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pytest
from tests.support import served_toy, toy, toy_tasks

from airloop.authoring import reproduce
from airloop.features import examples
from airloop.models import model_version
from airloop.problems import task_of
from airloop.records import Action, Decision, Evaluated, Monitored, Scored, TrainedModel, TunedCandidate
from airloop.settings import Settings
from airloop.stores import alarms, lake, state
from airloop.stores.mlflow import registry, tracking

pytestmark = pytest.mark.integration

TRAINED, TURNED, LAST = 25, 42, 76
STEADY, AFTER_THE_TURN, NEXT = toy.days(TRAINED, TURNED), toy.days(60, LAST), toy.days(LAST, LAST + 2)
COLUMN_TYPES = {
    "regression": pa.float64(),
    "multiclass": pa.list_(pa.float64()),
    "quantiles": pa.list_(pa.float64()),
}


@pytest.fixture(scope="module", params=sorted(toy_tasks.VARIANTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def settings(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A champion of day 25; from day 42 on machines bear 15 degrees more."""
    settings = toy_tasks.write_project(tmp_path_factory.mktemp(kind) / "project", Settings().project_dir, kind)
    toy_tasks.land(settings, kind, days=range(TURNED))
    toy_tasks.land(settings, kind, days=range(TURNED, LAST + 2), shift=15.0)
    toy.run_data(settings, toy.days(0, LAST + 2))
    decision = toy.run_training(settings, TRAINED)
    assert isinstance(decision, Decision)
    assert decision.why.startswith("passed as the first model, judged by floors only")
    toy.run("promote", settings, toy.days(0, TRAINED))
    return settings


def monitored(settings: Settings, window: Any) -> tuple[Scored, Monitored, Action]:
    found = tuple(toy.run(stage, settings, window) for stage in ("score", "monitor", "triage"))
    assert [type(record) for record in found] == [Scored, Monitored, Action]
    return found  # type: ignore[return-value]


def test_predictions_are_kept_as_the_task_says(settings: Settings, kind: str) -> None:
    scored = toy.run("score", settings, STEADY)
    assert isinstance(scored, Scored)
    rows = lake.read(lake.table_uri(settings, "toy", "predictions", "predictions"), settings)
    assert rows.schema.field("prediction").type.equals(COLUMN_TYPES[kind])
    assert rows.num_rows == scored.rows == 17 * toy.ROWS_A_DAY
    pipeline = toy.toy_pipeline(settings)
    task = task_of(pipeline)
    kept = rows.to_pandas().sort_values(["decision_time", "job"])
    frame = examples.feature_frame(pipeline, STEADY, settings, with_labels=False)
    version = model_version.load_version(pipeline, 1, settings)
    assert (task.from_column(kept["prediction"]) == task.predict(version.model, frame[list(version.features)])).all()
    assert toy.run("score", settings, STEADY) == scored


def test_the_best_score_counts_and_the_saved_model_serves_what_the_task_predicts(settings: Settings) -> None:
    tuned = [TunedCandidate.from_json(row) for row in state.latest_records(settings, "toy", "tune")]
    metric = toy.toy_pipeline(settings).training.metric
    runs = [tracking.client(settings).get_run(item.run_id) for item in tuned]
    assert [run.data.metrics[f"cv_{metric}"] for run in runs] == [-item.score for item in tuned]
    assert max(item.score for item in tuned) < 0
    trained = TrainedModel.from_json(state.latest_records(settings, "toy", "train")[0])
    assert trained.candidate == max(tuned, key=lambda item: item.score).candidate
    pipeline = toy.toy_pipeline(settings)
    frame = examples.feature_frame(pipeline, STEADY, settings, with_labels=False)
    version = model_version.load_version(pipeline, 1, settings)
    rows = frame[list(version.features)]
    served = mlflow.pyfunc.load_model(trained.model_uri).predict(rows)
    assert np.array_equal(served, task_of(pipeline).predict(version.model, rows))


FRAMEWORKS = {"regression": "lightgbm:", "multiclass": "xgboost:", "quantiles": "sklearn."}


def test_the_champion_answers_over_http_as_it_predicts_in_batch(settings: Settings, kind: str) -> None:
    pipeline = toy.toy_pipeline(settings)
    version = model_version.load_version(pipeline, 1, settings)
    declared = pipeline.training.candidates[version.candidate].estimator
    assert declared.startswith(FRAMEWORKS[kind])
    frame = examples.feature_frame(pipeline, toy.days(TRAINED, TRAINED + 1), settings, with_labels=False).head(20)
    rows = frame[list(version.features)]
    with served_toy.running(settings) as client:
        answers = served_toy.ask(client, {"rows": [{"features": row} for row in rows.to_dict("records")]}).json()
    assert answers["model_version"] == 1
    answered = np.array([row["prediction"] for row in answers["predictions"]])
    assert answered == pytest.approx(task_of(pipeline).predict(version.model, rows), abs=1e-6)
    assert len({str(row) for row in answered.round(6).tolist()}) > 5


def test_the_champion_trained_again_in_a_fresh_process_is_the_same_bit_for_bit(
    settings: Settings, in_new_processes: None
) -> None:
    found = reproduce.reproduce(toy.toy_pipeline(settings), 1, settings)
    assert (found.version, found.differing, found.metrics) == (1, 0, {})
    assert found.rows == 15 * toy.ROWS_A_DAY


def test_a_steady_world_asks_for_no_training(settings: Settings) -> None:
    scored, found, action = monitored(settings, STEADY)
    task = task_of(toy.toy_pipeline(settings))
    assert scored.version == found.version == 1
    assert found.labelled_rows == 16 * toy.ROWS_A_DAY
    assert set(found.live) == {f"{metric}{end}" for metric in task.metrics for end in ("", "_lower", "_upper")}
    assert None not in found.live.values()
    assert [item.metric for item in found.probe] == list(task.metrics)
    assert found.prediction_psi is not None
    assert found.prediction_psi < 0.1
    assert abs(found.calibration_gap or 0) < 0.3
    assert (action.kind, found.drifted_features) == ("nothing", ()), action.why


def _accepted(settings: Settings, found: Monitored, action: Action) -> Action:
    """What triage says once a person has said that the world, and not the data, has changed."""
    pipeline = toy.toy_pipeline(settings)
    for alarm in found.alarms:
        assert action.kind == "held"
        key = alarms.alarm_id("toy", found.window, alarm)
        alarms.answer(settings, pipeline, key, word="accepted", why="machines bear more now", who="test")
    again = toy.run("triage", settings, found.window)
    assert isinstance(again, Action)
    return again


def test_a_turned_world_is_retrained_and_the_new_model_takes_over(settings: Settings) -> None:
    _, found, action = monitored(settings, AFTER_THE_TURN)
    assert action.kind in ("held", "retrain"), action.why
    action = _accepted(settings, found, action)
    assert action.kind == "retrain", action.why
    assert all(item.lower > 0 for item in found.probe)
    decision = toy.run_training(settings, LAST, reason="probe", reason_key=action.reason_key)
    assert isinstance(decision, Decision)
    assert decision.why.startswith("passed: gain in "), decision.why
    evaluated = toy.run("evaluate", settings, toy.days(0, LAST))
    assert isinstance(evaluated, Evaluated)
    assert evaluated.problems == ()
    assert {item.metric for item in evaluated.evidence} == set(task_of(toy.toy_pipeline(settings)).metrics)
    toy.run("promote", settings, toy.days(0, LAST))
    assert registry.aliases(settings, "toy")["champion"] == 2
    scored = toy.run("score", settings, NEXT)
    assert isinstance(scored, Scored)
    assert (scored.version, scored.appended) == (2, 2 * toy.ROWS_A_DAY)


def test_shuffled_labels_are_refused_by_the_floors(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = toy_tasks.write_project(tmp_path_factory.mktemp(kind) / "project", Settings().project_dir, kind)
    toy_tasks.land(settings, kind, days=range(TURNED), shuffled=True)
    toy.run_data(settings, toy.days(0, TURNED))
    decision = toy.run_training(settings, TURNED)
    assert isinstance(decision, Decision)
    assert {check.passed for check in decision.checks if check.rule != "coverage"} == {False}
    assert decision.why.startswith("refused: ")
