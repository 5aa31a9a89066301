"""Params of the DAGs are Airflow's: checked as strictly, written as the same class, and checked once."""

import copy

import jsonschema
import pytest
from airflow.sdk import DAG
from airflow.sdk import Param as AirflowParam
from airflow.sdk.definitions.param import ParamsDict
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
