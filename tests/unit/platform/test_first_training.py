"""A first training is asked for as soon as the declared rows, the holdout and both labels are there, and not before."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import ledger_entries, toy

from airloop.config import Pipeline
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import History
from airloop_platform.replay.first_training import lacking


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The toy with 30 days of data in the lake, their outcomes included."""
    settings = toy.write_project(tmp_path_factory.mktemp("first") / "project", Settings().project_dir)
    toy.land(settings, days=range(30))
    toy.run_data(settings, toy.days(0, 30))
    return settings


def asked(settings: Settings, day: int, *, pipeline: Pipeline | None = None, history: History | None = None) -> str:
    cutoff = toy.START + timedelta(days=day)
    return lacking(pipeline or toy.toy_pipeline(settings), cutoff, history or History(()), settings)


def test_too_early_for_a_holdout_too_few_rows_and_enough(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    more = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"min_train_rows": 600})})
    assert asked(settings, 17) == "the holdout of 16 days and the label delay leave nothing to train on"
    assert asked(settings, 20, pipeline=more) == "180 labelled training rows, 600 are needed"
    assert asked(settings, 20) == ""


def test_labels_that_are_all_the_same_wait(tmp_path: Path) -> None:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    toy.land(settings, days=range(20))
    for path in (Path(settings.landing_uri) / "toy" / "failures").glob("*.csv"):
        path.write_text(path.read_text().replace(",true", ",false"))
    toy.run_data(settings, toy.days(0, 20))
    assert asked(settings, 20) == "all 180 labels of the training rows are the same"


def test_after_a_refusal_the_next_one_waits_until_the_data_reach_a_quarter_further(settings: Settings) -> None:
    at = toy.START + timedelta(days=20)
    refused = replace(ledger_entries.decision(1, at=at), outcome="refused", why="refused: the floor")
    ledger_entries.record(settings, "toy", refused)
    history = ledger.history(settings, "toy")
    assert asked(settings, 24, history=history).endswith("was refused, the next is trained from 2020-01-26 on")
    assert asked(settings, 25, history=history) == ""
