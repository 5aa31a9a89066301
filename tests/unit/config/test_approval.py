"""`approval` of pipeline.yaml: never unless declared; what it cannot mean is refused with the nearest word."""

import pytest
from pydantic import TypeAdapter, ValidationError

from airloop.config import Pipeline, load_pipeline
from airloop.config.approval import Approval, Conditions
from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop_platform.demo import second_person


def test_nobody_is_asked_unless_it_is_declared():
    declared = load_pipeline("flight_delays", Settings()).approval
    assert (declared.when, declared.when.any, declared.default) == (Conditions(), False, "reject")


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("never", Conditions()),
        ("always", Conditions(always=True)),
        (["first_model"], Conditions(first_model=True)),
        (["slice_worse"], Conditions(slice_worse=True)),
        (
            ["first_model", {"gain_below": 0.01}, {"days_since": 90}],
            Conditions(first_model=True, gain_below=0.01, days_since=90),
        ),
    ],
)
def test_conditions_are_a_word_or_a_list(written, means):
    read = Approval.model_validate({"when": written})
    assert read.when == means
    assert Approval.model_validate(read.model_dump()) == read


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"when": "alwys"}, "'alwys' is not never, always or a list of conditions; did you mean 'always'?"),
        ({"when": []}, "is not never, always or a list of conditions"),
        ({"when": ["first_modl"]}, "'first_modl' is not a condition; did you mean 'first_model'?"),
        ({"when": ["slice_wors"]}, "'slice_wors' is not a condition; did you mean 'slice_worse'?"),
        ({"when": [{"slice_worse": 1}]}, "'slice_worse' is a word of its own"),
        ({"when": [{"gain_belw": 1}]}, "'gain_belw' is not a condition; did you mean 'gain_below'?"),
        ({"when": [{"days_since": 1}, {"days_since": 2}]}, "'days_since' is there twice"),
        ({"when": [{"days_since": 0}]}, "greater than 0"),
        ({"when": [7]}, "7 is not a condition"),
        ({"deadline_hours": 0}, "greater than 0"),
        ({"default": "aprove"}, "'reject' or 'approve'"),
        ({"byy": ["anna"]}, "Extra inputs"),
    ],
)
def test_what_it_cannot_mean_is_refused(written, says):
    with pytest.raises(ValidationError, match="validation error") as refused:
        TypeAdapter(Approval).validate_python(written)
    assert says in str(refused.value)


def test_worse_slices_can_only_be_asked_about_where_a_rule_measures_them():
    declared = load_pipeline("flight_delays", Settings()).model_dump()
    declared |= {"approval": {"when": ["slice_worse"]}}
    with pytest.raises(ValidationError, match="no rule of the gate measures slices: add"):
        Pipeline.model_validate(declared)
    declared["gate"] |= {"rules": [{"kind": "slices", "columns": ["carrier"]}]}
    assert Pipeline.model_validate(declared).approval.when.slice_worse


def test_an_installation_asks_what_a_pipeline_does_not_declare_itself(toy_settings):
    asks = toy_settings.model_copy(update={"approval": {"when": ["first_model"], "by": ["anna"]}})
    assert load_pipeline("toy", asks).approval == Approval(when=Conditions(first_model=True), by=("anna",))
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(f"{path.read_text()}approval: {{when: never}}\n")
    assert load_pipeline("toy", asks).approval == Approval()


def test_what_an_installation_cannot_ask_is_refused_by_the_variables_name(toy_settings):
    asks = toy_settings.model_copy(update={"approval": {"whn": "always"}})
    with pytest.raises(ConfigError, match=r"AIRLOOP_APPROVAL: approval\.whn: unknown key; did you mean 'when'\?"):
        load_pipeline("toy", asks)


def test_the_demo_asks_a_second_user_unless_the_installation_asks_already(toy_settings):
    demo = second_person.with_approver(toy_settings)
    asked = load_pipeline("toy", demo).approval
    assert (asked.when, asked.by, asked.default) == (Conditions(first_model=True), ("approver",), "reject")
    assert demo.airflow_users == {"approver": "op"}
    own = toy_settings.model_copy(update={"approval": {"when": "always"}, "airflow_users": {"anna": "op"}})
    assert second_person.with_approver(own) == own
