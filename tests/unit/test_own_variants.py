"""One pipeline with a metric, a rule, a source and a trigger of its project's modules: the library needs no edit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support import rule_holdouts as planted
from tests.support import toy, toy_own
from tests.support.gate_cases import evaluated
from tests.support.run_plainly import run_plainly
from tests.support.triage_months import month

from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.gate.judge import judge
from airloop.models import evidence
from airloop.models.rules_measured import measure_rules
from airloop.problems import task_of
from airloop.records import Extracted
from airloop.settings import Settings
from airloop.watch.triage import triage

COST = "toys_own_metrics:CostOfMisses"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = toy_own.project(tmp_path / "project", Settings().project_dir)
    toy_own.fetch_jobs_by(settings, "toys_own_sources:OneAnHour", "{machine: m7}")
    toy_own.measure_by(settings, COST, "at_most: 0.9")
    toy_own.judge_by_rule(settings, '{kind: "toys_own_rules:Rows", at_least: 6001}')
    toy_own.ask_by_trigger(settings, '{kind: probe}, {kind: "toys_own_triggers:Off", at_most: 0.1}')
    return settings


def test_all_of_them_work_together_by_their_names_in_the_declaration(settings: Settings) -> None:
    assert check_pipeline("toy", settings)
    pipeline = load_pipeline("toy", settings)
    at = Deployment(pipeline, settings)

    extracted = toy.run("extract", settings, toy.days(0, 1))
    assert isinstance(extracted, Extracted)
    assert extracted.rows == {"jobs": 24}

    assert task_of(pipeline).metrics == ("brier", "roc_auc", COST)
    labels, predicted = np.tile([1.0, 0.0, 0.0, 1.0], 10), np.tile([0.1, 0.9, 0.2, 0.8], 10)
    assert evidence.metric_value(COST, labels, predicted) == 6.0 / 4

    found = judge(evaluated(measured=measure_rules(pipeline, planted.holdout(planted.good))), pipeline.gate)
    assert [(check.rule, check.passed) for check in found.checks if check.rule == "rows"] == [("rows", False)]
    assert found.outcome == "refused"

    look = replace(month(7, gains=False), model_name="toy", calibration_gap=0.2)
    action = run_plainly(triage, at, look.window, monitored=look)
    assert (action.kind, action.reason) == ("retrain", "trigger")
    quiet = replace(month(8, gains=False), model_name="toy", calibration_gap=0.05)
    assert run_plainly(triage, at, quiet.window, monitored=quiet).kind == "nothing"
