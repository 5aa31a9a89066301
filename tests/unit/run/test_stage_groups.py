"""The stages of a DAG by one command: each once, in order, candidate by candidate, and stopped by the first failure."""

import pytest
from tests.support import toy

from airloop.deployment import Deployment
from airloop.errors import AirloopError
from airloop.run.stage_groups import GROUPS, run_group
from airloop.run.stages import STAGES
from airloop.settings import Settings


def test_a_group_runs_its_stages_in_order_and_returns_the_last_record(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    began: list[str] = []
    pipeline = toy.toy_pipeline(toy_settings)
    record = run_group("data", Deployment(pipeline, toy_settings), toy.days(0, 2), on_start=began.append)
    assert tuple(began) == GROUPS["data"]
    assert isinstance(record, STAGES[GROUPS["data"][-1]].record)


def test_a_failing_stage_ends_its_group(toy_settings: Settings) -> None:
    began: list[str] = []
    with pytest.raises(AirloopError):
        run_group(
            "data", Deployment(toy.toy_pipeline(toy_settings), toy_settings), toy.days(0, 2), on_start=began.append
        )
    assert began == ["ingest"]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_needs_only_what_runs_before_it_in_the_group(group: str) -> None:
    for number, stage in enumerate(GROUPS[group]):
        assert set(STAGES[stage].needs) <= set(GROUPS[group][:number])
