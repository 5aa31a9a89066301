"""A rule of the project's own judges as airloop's do, and is refused where it does not fit."""

from pathlib import Path

import pytest
from tests.support import rule_holdouts as planted
from tests.support import toy_own
from tests.support.gate_cases import evaluated

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import load_pipeline
from airloop.errors import ConfigError
from airloop.gate.judge import judge
from airloop.models.rules_measured import measure_rules
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_own.project(tmp_path / "project", REPOSITORY)


@pytest.mark.parametrize(("at_least", "passes"), [(6000, True), (6001, False)])
def test_it_measures_the_holdout_and_judges(settings: Settings, at_least: int, passes: bool) -> None:
    toy_own.judge_by_rule(settings, f'{{kind: "toys_own_rules:Rows", at_least: {at_least}}}')
    pipeline = load_pipeline("toy", settings)
    measured = measure_rules(pipeline, planted.holdout(planted.good))
    found = judge(evaluated(measured=measured), pipeline.gate)
    (check,) = [check for check in found.checks if check.rule == "rows"]
    assert (check.passed, check.says) == (passes, f"6000 rows, must be at least {at_least}")


def test_the_check_takes_one_that_fits(settings: Settings) -> None:
    toy_own.judge_by_rule(settings, '{kind: "toys_own_rules:Rows", at_least: 10}')
    assert check_pipeline("toy", settings)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('{kind: "toys_own_rules:Row", at_least: 10}', "has no attribute 'Row'"),
        ('{kind: "toys_own_rules:Half"}', "the class leaves out check"),
        ('{kind: "toys_own_triggers:Off", at_most: 1}', "is not a subclass of airloop.gate.rules.rule:Rule"),
        ('{kind: "toys_own_rules:Rows", at_leest: 10}', "at_leest: unknown key; did you mean 'at_least'?"),
    ],
)
def test_the_check_refuses_what_does_not_fit_with_its_place(settings: Settings, rule: str, says: str) -> None:
    toy_own.judge_by_rule(settings, rule)
    with pytest.raises(ConfigError, match=r"toy/pipeline.yaml:\d+: gate.rules.0: ") as refused:
        check_pipeline("toy", settings)
    assert says in str(refused.value)
