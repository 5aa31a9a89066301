"""A problem of the project's own narrows one of airloop's, and is refused where it does not fit the declaration."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from tests.support import extend_pages, toy_sql, toy_tasks

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import TaskKind, load_pipeline
from airloop.config.problem import PROBLEM
from airloop.errors import ConfigError, DataContractError
from airloop.problems import refuse_unfit_labels, task_of
from airloop.run.input_key import declaration_digest
from airloop.settings import Settings

COUNTS = "shop_problems:Counts"
OTHERS = """
from airloop.problems.binary import Binary
from airloop.problems.regression import Regression

class OfAnotherTask(Binary):
    pass

class Renamed(Regression):
    kind = "counts"

class NoProblem:
    pass
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = toy_tasks.write_project(tmp_path / "project", Settings().project_dir, "regression")
    include = settings.project_dir / "include"
    extend_pages.write("problems.md", include)
    (include / "toys_other_problems.py").write_text(OTHERS)
    return settings


def declare(settings: Settings, problem: str) -> None:
    toy_sql.declare(settings, "task: regression", f'task: regression, problem: "{problem}"')


def test_every_kind_of_task_is_a_variant_of_the_family() -> None:
    assert sorted(get_args(TaskKind)) == list(PROBLEM.names())
    assert {name: PROBLEM.load(name).kind for name in PROBLEM.names()} == {name: name for name in PROBLEM.names()}


def test_it_knows_fewer_labels_and_predictions_than_its_task(settings: Settings) -> None:
    plain = task_of(load_pipeline("toy", settings))
    declare(settings, COUNTS)
    pipeline = load_pipeline("toy", settings)
    counts = task_of(pipeline)
    assert (type(plain).__name__, type(counts).__name__) == ("Regression", "Counts")
    assert (counts.kind, counts.metrics, counts.outputs) == (plain.kind, plain.metrics, plain.outputs)
    below = np.array([0.0, 2.0, -1.0])
    assert plain.prediction_problem(below) is None
    assert counts.prediction_problem(below) == "1 of 3 predictions are missing, not finite or below 0"
    assert counts.prediction_problem(np.array([0.0, 2.5])) is None
    refuse_unfit_labels(pipeline, pd.Series([0.0, 3.0, np.nan]))
    with pytest.raises(DataContractError, match=r"1 of 2 labels are not whole numbers from 0 on, like 1\.5"):
        refuse_unfit_labels(pipeline, pd.Series([1.0, 1.5]))
    assert check_pipeline("toy", settings)


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        ("toys_other_problems:OfAnotherTask", "does not extend airloop.problems.regression:Regression of prediction"),
        ("toys_other_problems:Renamed", "does not extend airloop.problems.regression:Regression of prediction"),
        ("toys_other_problems:NoProblem", "is not a subclass of airloop.problems.problem:Task"),
        ("toys_no_problems:Counts", "cannot be imported: No module named 'toys_no_problems'"),
    ],
)
def test_one_that_does_not_fit_is_refused_by_check_and_stage(settings: Settings, problem: str, says: str) -> None:
    declare(settings, problem)
    pipeline = load_pipeline("toy", settings)
    for ask in (lambda: check_pipeline("toy", settings), lambda: task_of(pipeline)):
        with pytest.raises(ConfigError, match=r"toy/pipeline\.yaml.*prediction\.problem") as refused:
            ask()
        assert says in str(refused.value)


def test_other_code_of_it_is_another_input(settings: Settings) -> None:
    declare(settings, COUNTS)
    pipeline: Any = load_pipeline("toy", settings)
    before = declaration_digest(pipeline, settings)
    with (settings.project_dir / "include" / "shop_problems.py").open("a") as module:
        module.write("# more\n")
    assert declaration_digest(pipeline, settings) != before
