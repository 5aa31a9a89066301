"""Labels that are not what the task says are refused before a row of them is learnt from, and the value is named."""

from pathlib import Path
from typing import Any

import pytest
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.config.prediction import Prediction
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.models import snapshot, train, tune
from airloop.records import TunedCandidate
from airloop.settings import Settings

WINDOW = toy.days(0, 40)
LABEL = "failed::DOUBLE"


def with_task(pipeline: Pipeline, **changes: Any) -> Pipeline:
    values = pipeline.prediction.model_dump() | changes
    return pipeline.model_copy(update={"prediction": Prediction(**values)})


def snapshots(settings: Settings) -> set[Path]:
    return {*Path(settings.lake_uri).glob("toy/snapshots/*")}


@pytest.mark.parametrize(
    ("label", "task", "says"),
    [
        ("failed::DOUBLE / 2", {}, r"toy: \d+ of 2280 labels are not 0 or 1, like 0.5: change prediction.task"),
        ("failed::DOUBLE - 1", {}, "labels are not 0 or 1, like -1"),
        ("'inf'::DOUBLE", {"task": "regression"}, "2280 of 2280 labels are not finite numbers, like inf"),
        (
            "failed::DOUBLE * 7",
            {"task": "multiclass", "classes": tuple("abcde")},
            "labels are not class numbers from 0 to 4, like 7",
        ),
    ],
)
def test_a_snapshot_refuses_them(toy_built: Settings, tmp_path: Path, label: str, task: Any, says: str) -> None:
    before = snapshots(toy_built)
    settings = toy.edited(toy_built, tmp_path, "features.sql", LABEL, label)
    with pytest.raises(DataContractError, match=says):
        run_plainly(snapshot.snapshot, Deployment(with_task(toy.toy_pipeline(settings), **task), settings), WINDOW)
    assert snapshots(toy_built) == before


def test_the_same_labels_pass_under_the_task_they_fit(toy_built: Settings, tmp_path: Path) -> None:
    settings = toy.edited(toy_built, tmp_path, "features.sql", LABEL, "failed::DOUBLE * 7")
    pipeline = with_task(toy.toy_pipeline(settings), task="multiclass", classes=tuple("abcdefgh"))
    assert run_plainly(snapshot.snapshot, Deployment(pipeline, settings), WINDOW).train_rows == 23 * toy.ROWS_A_DAY


def test_tune_and_train_refuse_them_when_the_task_was_changed_after_the_snapshot(
    toy_built: Settings, tmp_path: Path
) -> None:
    settings = toy.edited(toy_built, tmp_path, "features.sql", LABEL, "failed::DOUBLE / 4")
    pipeline = toy.toy_pipeline(settings)
    frozen = run_plainly(snapshot.snapshot, Deployment(with_task(pipeline, task="regression"), settings), WINDOW)
    with pytest.raises(DataContractError, match=r"labels are not 0 or 1, like 0\.25"):
        run_plainly(tune.tune, Deployment(pipeline, settings), WINDOW, snapshot=frozen, candidate="gradient_boosting")
    best = TunedCandidate("logistic_regression", {}, -0.1, 1, 0.1, "")
    with pytest.raises(DataContractError, match=r"labels are not 0 or 1, like 0\.25"):
        run_plainly(train.train, Deployment(pipeline, settings), WINDOW, snapshot=frozen, tuned=(best,))
