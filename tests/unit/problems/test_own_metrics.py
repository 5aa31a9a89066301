"""A metric of the project's own measures wherever airloop's do, and is refused where it does not fit."""

from pathlib import Path

import numpy as np
import pytest
from tests.support import toy_own

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import METRICS, load_pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.models import evidence
from airloop.models.bootstrap import Bootstrap
from airloop.problems import task_of
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
COST = "toys_own_metrics:CostOfMisses"
OPTIONS = {"bootstrap": Bootstrap(0.9, 100, 3)}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_own.project(tmp_path / "project", REPOSITORY)


def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 2, 600).astype(float)
    good = np.clip(labels * 0.6 + draw.uniform(0, 0.4, 600), 0, 1)
    return labels, draw.uniform(0, 1, 600), good, np.repeat(np.arange(20), 30)


def test_a_named_metric_is_measured_beside_airloops(settings: Settings) -> None:
    toy_own.measure_by(settings, COST, "at_most: 0.9")
    pipeline = load_pipeline("toy", settings)
    assert pipeline.metrics == ("brier", "roc_auc", COST)
    assert task_of(pipeline).metrics == pipeline.metrics
    assert METRICS[COST].title == "cost a job"
    assert check_pipeline("toy", settings)


def test_its_value_and_gain_are_what_it_says(settings: Settings) -> None:
    load_pipeline("toy", settings)
    labels, noise, good, days = rows()
    by_hand = np.mean(5.0 * ((labels == 1) & (noise < 0.5)) + ((labels == 0) & (noise >= 0.5)))
    assert evidence.metric_value(COST, labels, noise) == pytest.approx(by_hand)
    found = evidence.compare(labels, noise, good, days, metric=COST, **OPTIONS)
    assert found.gain == pytest.approx(by_hand - found.candidate)
    assert 0 < found.lower < found.gain < found.upper
    assert evidence.compare(labels, good, noise, days, metric="toys_own_metrics:Accuracy", **OPTIONS).upper < 0


def test_one_that_gives_no_number_a_draw_is_refused(settings: Settings) -> None:
    load_pipeline("toy", settings)
    labels, noise, _, _ = rows()
    with pytest.raises(DataContractError, match="one finite number a draw"):
        evidence.metric_value("toys_own_metrics:Shapeless", labels, noise)


@pytest.mark.parametrize(
    ("metric", "bound", "says"),
    [
        ("toys_own_metrics:OfAnotherTask", "at_most: 1", "measures regression tasks, and prediction.task is binary"),
        ("toys_own_metrics:WithoutSide", "at_most: 1", "sign is 0.0"),
        ("toys_own_metrics:WithoutTitle", "at_least: 0", "says no title"),
        ("toys_own_metrics:Nosuch", "at_most: 1", "has no attribute 'Nosuch'"),
        ("toys_nosuch:Metric", "at_most: 1", "modules of the project lie below its include/"),
        ("json:JSONDecoder", "at_most: 1", "is not a subclass of airloop.metrics.metric:Metric"),
        (COST, "at_least: 0.9", "a floor on toys_own_metrics:CostOfMisses is an at_most"),
        ("toys_own_metrics:Accuracy", "at_most: 0.5", "is an at_least"),
    ],
)
def test_one_that_does_not_fit_is_refused_with_its_line_and_by_every_stage(
    settings: Settings, metric: str, bound: str, says: str
) -> None:
    toy_own.measure_by(settings, metric, bound)
    with pytest.raises(ConfigError) as refused:
        check_pipeline("toy", settings)
    (line,) = [line for line in str(refused.value).splitlines() if says in line]
    assert line.startswith("toy/pipeline.yaml:")
    with pytest.raises(ConfigError) as refused:
        task_of(load_pipeline("toy", settings))
    assert says in str(refused.value)


@pytest.mark.parametrize(("name", "says"), [("briar", "did you mean 'brier'"), ("cost", "valid: accuracy, brier")])
def test_a_name_that_nobody_has_is_refused_when_yaml_is_read(settings: Settings, name: str, says: str) -> None:
    toy_own.measure_by(settings, name, "at_most: 1")
    with pytest.raises(ConfigError, match=r"gate\.floors\.1\.metric") as refused:
        load_pipeline("toy", settings)
    assert says in str(refused.value)
