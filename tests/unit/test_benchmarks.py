"""benchmarks: a row is ok when ours / peer keeps its bound, and nothing is compared that gave different results."""

import importlib.util
import io
import json
import math
from types import SimpleNamespace

import pandas as pd
import polars as pl
import pytest
import yaml
from benchmarks import __main__ as bench
from benchmarks.flights import settings_below
from benchmarks.polars_checks import feed_checks, verdict
from benchmarks.row import Row, interleaved, write_rows
from benchmarks.same_rows import refuse_different
from rich.console import Console

from airloop.errors import ConfigError, DataContractError
from airloop.settings import load_settings


def row(ours=1.0, peer=2.0, bound=0.5):
    return Row("name", ours, peer, bound=bound, unit="s", note="note")


def test_a_row_has_the_keys_that_readers_of_bench_json_expect():
    assert row().to_json() == {
        "name": "name", "ours": 1.0, "peer": 2.0, "ratio": 0.5, "bound": 0.5, "ok": True, "unit": "s", "note": "note",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "peer", "ok"),
    [(1.0, 2.0, True), (0.9, 2.0, True), (1.01, 2.0, False), (1.0, 0.0, False), (math.nan, 2.0, False)],
)
def test_a_row_is_ok_when_the_ratio_is_at_most_the_bound(ours, peer, ok):
    assert row(ours, peer).ok is ok


def test_a_ratio_that_is_no_number_is_null_in_json_and_not_ok():
    found = row(math.nan, math.nan).to_json()
    assert (found["ours"], found["ratio"], found["ok"]) == (None, None, False)


def test_rows_are_written_whole_and_replace_the_ones_before(tmp_path):
    target = tmp_path / "home" / "bench.json"
    write_rows(target, [row(), row(math.nan)])
    write_rows(target, [row()])
    assert json.loads(target.read_text()) == [row().to_json()]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(("rows", "code"), [([row()], 0), ([row(), row(ours=3.0)], 1), ([], 1)])
def test_the_exit_code_is_1_unless_every_row_is_ok(rows, code):
    assert bench.exit_code(rows) == code


def test_both_sides_take_turns_and_their_preparation_is_not_part_of_the_trial():
    seen = []

    def prepare(name):
        seen.append(f"prepare {name}")
        return lambda: seen.append(name)

    seconds = interleaved(lambda: prepare("ours"), lambda: prepare("peer"))
    assert seen[1::2] == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert seen[0::2] == [f"prepare {name}" for name in seen[1::2]]
    assert min(seconds) >= 0


def test_a_measurement_that_is_refused_gives_a_row_that_is_not_ok():
    def refuse(_):
        raise DataContractError("other values")

    found = bench.measured(SimpleNamespace(NAME="x", BOUND=2.0, measure=refuse), None)
    assert (found.ok, found.bound, found.note) == (False, 2.0, "not measured: other values")
    assert bench.measured(SimpleNamespace(measure=lambda _: row()), None) == row()


def test_every_measurement_is_a_module():
    assert all(importlib.util.find_spec(f"benchmarks.{name}") for name in bench.MEASUREMENTS)


def test_the_table_shows_a_note_as_it_is_and_marks_what_is_not_ok():
    console = Console(file=io.StringIO(), width=160)
    console.print(bench.result_table([Row("x", 3, 1, bound=2, unit="s", note="columns [bold] and [/]")]))
    assert "columns [bold] and [/]" in console.file.getvalue()
    assert "│ 3.00 s │ 1.00 s │  3.00 │     2 │ no │" in console.file.getvalue()


FRAME = pd.DataFrame({"key": ["a", "b"], "number": [1.0, math.nan], "text": ["x", None]})


def test_equal_rows_in_another_order_are_the_same_result():
    refuse_different(FRAME, FRAME[::-1][["text", "key", "number"]], key="key")


@pytest.mark.parametrize(
    "other",
    [
        FRAME.assign(number=[1.0, 2.0]),
        FRAME.assign(text=["y", None]),
        FRAME.assign(text=[None, None]),
        FRAME[:1],
        FRAME.drop(columns="text"),
    ],
)
def test_another_value_row_or_column_is_refused(other):
    with pytest.raises(DataContractError, match=r"differs|did other work"):
        refuse_different(FRAME, other, key="key")


def test_everything_but_the_landed_files_lies_below_the_temporary_home(tmp_path):
    assert settings_below(tmp_path).lake_uri == f"{tmp_path}/lake"
    assert settings_below(tmp_path, landing_uri="/elsewhere").landing_uri == "/elsewhere"


def test_a_lake_named_by_the_environment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRLOOP_LAKE_URI", "s3://production/lake")
    with pytest.raises(ConfigError, match="AIRLOOP_LAKE_URI points outside"):
        settings_below(tmp_path)


def test_the_checks_by_hand_are_as_many_as_the_declared_rules():
    path = load_settings().pipelines_dir / "flight_delays" / "expectations.yaml"
    declared = yaml.safe_load(path.read_text())["raw"]
    by_hand = feed_checks(days=31, schedule_rows=27_000)
    assert {feed: len(rules) for feed, rules in declared.items()} == {feed: len(c) for feed, c in by_hand.items()}


def test_the_checks_by_hand_count_bad_rows_once_and_keep_warnings_apart():
    good = {"flight_id": "1", "arrival_delay_minutes": 5, "air_time_minutes": 60}
    bad = {"flight_id": None, "arrival_delay_minutes": 5000, "air_time_minutes": None}
    twice = {"flight_id": "2", "arrival_delay_minutes": 5, "air_time_minutes": 60}
    checks = feed_checks(days=1, schedule_rows=4)["arrivals"]
    assert verdict(pl.DataFrame([good]), checks) == (1, 0, 0, 0)
    assert verdict(pl.DataFrame([good, bad, twice, twice]), checks) == (4, 3, 3, 1)
