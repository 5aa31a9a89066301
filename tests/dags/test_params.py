"""Params are typed and bounded: what does not fit is refused when the run is asked for, by every door."""

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError

pytestmark = pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")

DAGS = Path(__file__).parents[2] / "dags"
BOUND = {"string": {"maxLength", "enum"}, "integer": {"maximum"}, "array": {"maxItems"}, "number": {"maximum"}}


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(dag_folder=str(DAGS))


def _schemas(dag: DAG) -> dict[str, dict[str, Any]]:
    return {name: dag.params.get_param(name).schema for name in dag.params}


def test_every_param_of_every_dag_has_a_type_and_a_bound(bag: DagBag) -> None:
    unbounded = []
    for dag in bag.dags.values():
        for name, schema in _schemas(dag).items():
            kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
            unbounded += [f"{dag.dag_id}.{name}" for kind in kinds if kind in BOUND and not BOUND[kind] & set(schema)]
    assert len(bag.dags) > 10
    assert unbounded == []


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("training", "reason", "probes"),
        ("training", "reason", "default"),
        ("training", "reason", ""),
        ("training", "reason", None),
        ("training", "reason", ["probe"]),
        ("training", "reason_key", "k" * 201),
        ("training", "reason_key", "a\nb"),
        ("training", "reason_key", "a\x1b[31m"),
        ("training", "reason_key", "a\n"),
        ("training", "reason_key", 5),
        ("training", "cutoff", "2013-01-01T00:00:00Z\n"),
        ("training", "cutoff", f"2013-01-01T00:00:00.{'0' * 500}Z"),
        ("data", "start", "2013-01-01T00:00:00Z\n"),
        ("data", "end", "now"),
        ("scoring", "mode", "shadow"),
        ("promotion", "sequence", 0),
        ("promotion", "sequence", 10**12),
        ("promotion", "sequence", "3"),
        ("promotion", "sequence", True),
        ("promotion", "sequence", 1.5),
    ],
)
def test_what_does_not_fit_is_refused(bag: DagBag, group: str, name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        bag.dags[f"flight_delays__{group}"].params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("training", "reason", "hand"),
        ("training", "reason", "probe"),
        ("training", "reason", "schedule"),
        ("training", "reason_key", None),
        ("training", "reason_key", ""),
        ("training", "reason_key", "probe:2013-03-01T00:00:00Z"),
        ("training", "reason_key", "k" * 200),
        ("training", "cutoff", "2013-01-01T00:00:00.123456+01:00"),
        ("data", "start", None),
        ("scoring", "mode", "backtest"),
        ("promotion", "sequence", 3),
    ],
)
def test_what_fits_is_let_through(bag: DagBag, group: str, name: str, value: Any) -> None:
    assert bag.dags[f"flight_delays__{group}"].params.get_param(name).resolve(value) == value
