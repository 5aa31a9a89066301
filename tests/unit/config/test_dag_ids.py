"""The ids of DAGs are made in one place, and read back there."""

import re
from pathlib import Path

from airloop.config.dag_ids import dag_of, pipeline_and_group

INCLUDE = Path(__file__).resolve().parents[3] / "include"
MADE_BY_HAND = re.compile(r"\}__(\{group\}|(data|scoring|monitoring|training|promotion|rollback|inbox)\b)")


def test_an_id_is_read_back_as_it_was_made():
    assert dag_of("shop_returns", "data") == "shop_returns__data"
    assert pipeline_and_group("shop_returns__data") == ("shop_returns", "data")
    assert pipeline_and_group("somebody_elses") == ("", "")


def test_no_module_makes_an_id_by_hand():
    by_hand = [path.name for path in INCLUDE.rglob("*.py") if MADE_BY_HAND.search(path.read_text(encoding="utf-8"))]
    assert by_hand == []
    assert MADE_BY_HAND.search('trigger_dag_id=f"{pipeline.name}__promotion"')
    assert MADE_BY_HAND.search('return f"{name}__{group}"')
    assert not MADE_BY_HAND.search('name=f"{pipeline.name}__landing"')
