"""Some of the planted faults, so that every run of the tests meets them; `make faults` plants them all."""

from pathlib import Path

import pytest

from .stand import Stand
from .table import FAULTS, wrong
from .workers import reactions

pytestmark = pytest.mark.integration

SOME = (
    "none",
    "30 % of delays null",
    "departure delay in hours",
    "label's sign flipped",
    "one arrivals file missing",
    "the word NA for every temperature",
)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    prepared = Stand(tmp_path_factory.mktemp("faults"), brief=True)
    prepared.prepare()
    return prepared


@pytest.mark.parametrize("name", SOME)
def test_a_fault_is_said_before_it_is_trained_on_and_nothing_else_is(stand: Stand, tmp_path: Path, name: str) -> None:
    (reaction,) = reactions(stand, [name], tmp_path, workers=1, brief=True)
    assert wrong(FAULTS[name], reaction) == ""
