"""Params of runs: Airflow's own, with each value checked against its schema once in a process, held by the DAG alone.

Airflow checks schema and value anew whenever a Param is compared, printed or written, some thirty times a task while
DAGs are serialised. Whether a value fits a schema depends on nothing else. It also copies a DAG's Params into each of
its tasks and writes them with each, though a run's are read from the DAG and then from the task. And it writes the
source text of a callback that is among a DAG's default arguments, which its tasks have by then.

This file is imported at every parse, so it imports nothing heavy.
"""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import DAG
from airflow.sdk import Param as AirflowParam
from airflow.sdk import dag as airflow_dag
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError

_NOT_GIVEN = AirflowParam().value
_UNCHANGING = (str, int, float, type(None))


class Param(AirflowParam):
    """As Airflow's, and serialised as such: the scheduler and the UI see no other class."""

    # Beside __dict__, of which Airflow writes all.
    __slots__ = ("_fitting",)

    def __init__(self, *arguments: Any, **rules: Any) -> None:
        super().__init__(*arguments, **rules)
        self._fitting: Any = _NOT_GIVEN

    def resolve(self, value: Any = _NOT_GIVEN, suppress_exception: bool = False) -> Any:
        """The value, checked.

        Raises:
            ParamValidationError: It does not fit the schema, or there is none.
        """
        if value is _NOT_GIVEN and self._fits():
            return self.value
        return super().resolve(value, suppress_exception)

    def _fits(self) -> bool:
        if isinstance(self.value, type(_NOT_GIVEN)):
            return False
        if self._fitting is not self.value or not isinstance(self.value, _UNCHANGING):
            self._fitting = self.value if _fits(json.dumps([self.schema, self.value])) else _NOT_GIVEN
        return self._fitting is self.value

    def __copy__(self) -> "Param":
        """Another one; Airflow's own would make one of its class, and check its value."""
        other = Param.__new__(Param)
        other.__dict__.update(self.__dict__)
        other._fitting = self._fitting
        return other

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Param":
        """The same: nothing changes a schema, and a value is replaced as a whole. Each task of a DAG has its copies."""
        return self.__copy__()


Param.__module__, Param.__qualname__ = AirflowParam.__module__, AirflowParam.__qualname__


@functools.cache
def _fits(schema_and_value: str) -> bool:
    schema, value = json.loads(schema_and_value)
    try:
        AirflowParam(value, schema=schema).resolve()
    except ParamValidationError:
        return False
    return True


def dag(*, params: Mapping[str, AirflowParam], **arguments: Any) -> Callable[[Callable[[], None]], Callable[[], DAG]]:
    """Airflow's `@dag`, which gets its Params when its tasks are made, and then keeps no default argument to call."""

    def decorated(tasks: Callable[[], None]) -> Callable[[], DAG]:
        factory: Any = airflow_dag(**arguments)  # noqa: AIR002 - the schedule is one of them

        @functools.wraps(tasks)
        def build() -> DAG:
            dag: DAG = factory(tasks)()
            dag.params = ParamsDict(params)
            dag.default_args = {name: value for name, value in dag.default_args.items() if not callable(value)}
            return dag

        return build

    return decorated
