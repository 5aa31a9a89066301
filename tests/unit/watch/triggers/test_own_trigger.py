"""A trigger of the project's own asks for trainings as airloop's do, and is refused where it does not fit."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import toy_own
from tests.support.run_plainly import run_plainly
from tests.support.triage_months import month

from airloop.authoring.backtest.policies import find_policies, refuse_unmeasured
from airloop.authoring.pipeline_check import check_pipeline
from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.errors import ConfigError
from airloop.records import Monitored
from airloop.run.input_key import declaration_digest
from airloop.settings import Settings
from airloop.stores import ledger, training_reason
from airloop.watch.triage import triage

REPOSITORY = Path(__file__).resolve().parents[4]
OFF = '{kind: "toys_own_triggers:Off", at_most: 0.1}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_own.project(tmp_path / "project", REPOSITORY)


def declared(settings: Settings, triggers: str) -> Pipeline:
    toy_own.ask_by_trigger(settings, triggers)
    return load_pipeline("toy", settings)


def look(gap: float) -> Monitored:
    return replace(month(7, gains=False), model_name="toy", calibration_gap=gap)


def test_it_asks_for_a_training_whose_reason_the_training_takes(settings: Settings) -> None:
    pipeline = declared(settings, f"{{kind: probe}}, {OFF}")
    action = run_plainly(triage, Deployment(pipeline, settings), look(0.2).window, monitored=look(0.2))
    assert (action.kind, action.why, action.reason) == ("retrain", "off by 0.20, at most 0.1", "trigger")
    assert action.reason_key == "trigger:toys_own_triggers:Off:1:2013-08-01T00:00:00Z"
    asked = training_reason.asked_for(
        settings, pipeline, action.cutoff, reason=action.reason, reason_key=action.reason_key
    )
    assert (asked.reason, asked.reason_key) == ("trigger", action.reason_key)
    assert run_plainly(triage, Deployment(pipeline, settings), look(0.2).window, monitored=look(0.2)) == action
    (entry,) = ledger.entries(settings, "toy", kind="triage")
    assert (entry.payload["reason"], entry.payload["why"]) == ("trigger", action.why)


def test_without_cause_it_asks_for_nothing(settings: Settings) -> None:
    pipeline = declared(settings, OFF)
    assert run_plainly(triage, Deployment(pipeline, settings), look(0.1).window, monitored=look(0.1)).kind == "nothing"
    few = replace(look(0.2), labelled_rows=19)
    assert run_plainly(triage, Deployment(pipeline, settings), few.window, monitored=few).kind == "not_enough_data"


def test_one_that_takes_after_the_probe_does_not_open_its_milder_rule(settings: Settings) -> None:
    pipeline = declared(settings, '{kind: "toys_own_triggers:Pretender"}')
    gaining = replace(month(7), model_name="toy")
    action = run_plainly(triage, Deployment(pipeline, settings), gaining.window, monitored=gaining)
    assert (action.kind, action.reason) == ("retrain", "trigger")
    with pytest.raises(training_reason.NotAsked):
        training_reason.asked_for(settings, pipeline, action.cutoff, reason="probe")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Broken", "trigger toys_own_triggers:Broken failed with KeyError: 'gap'; mend it and run triage again"),
        ("Careless", "trigger toys_own_triggers:Careless answered True: judge returns a Verdict of retrain, nothing"),
    ],
)
def test_one_that_is_broken_does_not_look_quiet(settings: Settings, name: str, says: str) -> None:
    pipeline = declared(settings, f'{{kind: probe}}, {{kind: "toys_own_triggers:{name}"}}')
    with pytest.raises(ConfigError) as refused:
        run_plainly(triage, Deployment(pipeline, settings), look(0.2).window, monitored=look(0.2))
    assert says in str(refused.value)
    assert ledger.entries(settings, "toy") == ()


@pytest.mark.parametrize(
    ("trigger", "says"),
    [
        ('{kind: "toys_own_triggers:Of", at_most: 0.1}', "has no attribute 'Of'"),
        ('{kind: "nosuch_triggers:Off", at_most: 0.1}', "No module named 'nosuch_triggers'"),
        ('{kind: "toys_own_rules:Rows", at_least: 1}', "is not a subclass of airloop.watch.triggers.trigger:Trigger"),
        ('{kind: "toys_own_triggers:Half"}', "the class leaves out judge"),
        ('{kind: "toys_own_triggers:Off", at_moost: 1}', "at_moost: unknown key; did you mean 'at_most'?"),
        ('{kind: "toys_own_triggers:Off"}', "at_most: required key is missing"),
        ('{kind: "toys_own_triggers:Off", at_most: much}', "at_most: Input should be a valid number"),
    ],
)
def test_the_check_refuses_what_does_not_fit_with_its_place(settings: Settings, trigger: str, says: str) -> None:
    toy_own.ask_by_trigger(settings, f"{{kind: probe}}, {trigger}")
    with pytest.raises(ConfigError, match=r"toy/pipeline.yaml:\d+: monitoring.triggers.1: ") as refused:
        check_pipeline("toy", settings)
    assert says in str(refused.value)


def test_the_check_takes_one_that_fits(settings: Settings) -> None:
    toy_own.ask_by_trigger(settings, OFF)
    assert check_pipeline("toy", settings)


def test_other_code_of_it_is_another_input(settings: Settings) -> None:
    pipeline = declared(settings, OFF)
    before = declaration_digest(pipeline, settings)
    path = settings.project_dir / "include" / "toys_own_triggers.py"
    path.write_text(path.read_text() + "# other code\n")
    assert declaration_digest(pipeline, settings) != before


def test_a_backtest_refuses_what_it_cannot_measure_and_names_the_way_out(settings: Settings) -> None:
    pipeline = declared(settings, f"{{kind: probe}}, {OFF}")
    with pytest.raises(
        ConfigError, match=r"does not measure what trigger toys_own_triggers:Off reads .* airloop replay"
    ):
        refuse_unmeasured(pipeline, find_policies(("declared",)))
    refuse_unmeasured(pipeline, find_policies(("calendar",)))
    probe = pipeline.monitoring.model_copy(update={"triggers": None})
    refuse_unmeasured(pipeline.model_copy(update={"monitoring": probe}), find_policies(("declared",)))
