"""Params of the DAGs are Airflow's: checked as strictly, written as the same class, and checked once."""

import copy

import jsonschema
import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.sdk import Param as AirflowParam
from airflow.sdk.definitions.param import ParamsDict, process_params
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from airloop_airflow import params
from airloop_airflow.params import Param

SCHEMA = {"type": ["null", "string"], "maxLength": 3}


@pytest.mark.parametrize("given", [{"default": "abc"}, {"default": None}, {}, {"default": "long", "description": "d"}])
def test_dags_are_written_as_with_airflows_own(given):
    def written(kind):
        return DagSerialization.to_dict(DAG("toy", schedule=None, params={"name": kind(**given, **SCHEMA)}))["dag"]

    assert written(Param)["params"] == written(AirflowParam)["params"]


@pytest.mark.parametrize("value", ["long", 3, ["a"]])
def test_a_value_that_does_not_fit_is_refused_each_time(value):
    for _ in range(2):
        with pytest.raises(ParamValidationError, match=r"is too long|is not of type"):
            Param(value, **SCHEMA).resolve()
        with pytest.raises(ParamValidationError, match=r"is too long|is not of type"):
            Param("abc", **SCHEMA).resolve(value)
        assert Param(value, **SCHEMA).resolve(suppress_exception=True) is None
    with pytest.raises(ParamValidationError, match="no default value"):
        Param(**SCHEMA).resolve()


def test_a_value_that_is_given_is_checked_and_kept():
    values = ParamsDict({"name": Param("abc", **SCHEMA)})
    values["name"] = "xyz"
    assert values["name"] == "xyz"
    with pytest.raises(ParamValidationError, match="is too long"):
        values["name"] = "long"
    assert values["name"] == "xyz"


def test_a_value_is_checked_against_its_schema_once(monkeypatch):
    checks = []
    whole = jsonschema.validate
    monkeypatch.setattr(jsonschema, "validate", lambda *given, **more: checks.append(1) or whole(*given, **more))
    params._fits.cache_clear()
    for _ in range(3):
        assert Param("ab", **SCHEMA).resolve() == "ab"
    assert len(checks) == 1


def test_copies_are_apart_and_of_the_same_class():
    first = Param("abc", "says", **SCHEMA)
    for second in (copy.copy(first), copy.deepcopy(first)):
        assert type(second) is Param
        assert second.dump() == first.dump()
        second.resolve("xyz")
        assert first.value == "abc"


def test_the_dag_alone_holds_its_params_and_its_tasks_run_with_them():
    @params.dag(dag_id="toy", schedule=None, params={"name": Param("abc", **SCHEMA)})
    def tasks():
        EmptyOperator(task_id="plain")
        EmptyOperator(task_id="own", params={"name": "own"})

    made = tasks()
    written = {task["__var"]["task_id"]: task["__var"] for task in DagSerialization.to_dict(made)["dag"]["tasks"]}
    assert "params" not in written["plain"]
    assert [name for name, _ in written["own"]["params"]] == ["name"]
    given = [process_params(made, made.get_task(name), {}, suppress_exception=False) for name in ("plain", "own")]
    assert given == [{"name": "abc"}, {"name": "own"}]
    assert process_params(made, made.get_task("plain"), {"name": "new"}, suppress_exception=False) == {"name": "new"}
    with pytest.raises(ParamValidationError, match="is too long"):
        process_params(made, made.get_task("plain"), {"name": "long"}, suppress_exception=False)


def test_a_schedule_needs_params_with_values():
    scheduled = params.dag(dag_id="toy", schedule="@daily", params={"name": Param(**SCHEMA)})(lambda: None)
    with pytest.raises(ValueError, match="required params without default values"):
        scheduled()


def test_callbacks_are_the_tasks_and_their_source_is_not_written():
    def failed(_context):
        """Tells nobody."""

    @params.dag(dag_id="toy", schedule=None, params={}, default_args={"retries": 3, "on_failure_callback": failed})
    def tasks():
        EmptyOperator(task_id="plain")

    made = tasks()
    assert made.get_task("plain").on_failure_callback == [failed]
    assert made.default_args == {"retries": 3}
    assert "Tells nobody" not in str(DagSerialization.to_dict(made))
