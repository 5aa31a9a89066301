"""benchmarks: a row is ok when ours / peer keeps its bound, and nothing is compared that gave different results."""

import importlib
import io
import json
import math
from types import SimpleNamespace

import pytest
from benchmarks import __main__ as bench
from benchmarks.flights import DATA_STAGES, run_data, settings_below
from benchmarks.row import Row, interleaved, write_rows
from benchmarks.session import Session, asked_months
from rich.console import Console
from tests.support import toy

from airloop.errors import ConfigError, DataContractError


def row(ours=1.0, peer=2.0, bound=0.5, name="name"):
    return Row(name, ours, peer, bound=bound, unit="s", note="note")


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


def test_rows_are_written_whole_and_take_the_place_of_those_of_the_same_name(tmp_path):
    target = tmp_path / "home" / "bench.json"
    write_rows(target, [row(name="b"), row(name="gone")], names=["a", "b", "gone"])
    write_rows(target, [row(name="a"), row(ours=9.0, name="b")], names=["a", "b"])
    assert json.loads(target.read_text()) == [row(name="a").to_json(), row(ours=9.0, name="b").to_json()]
    write_rows(target, [row(name="a", ours=0.1)], names=["a", "b"])
    assert [found["ours"] for found in json.loads(target.read_text())] == [0.1, 9.0]
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


@pytest.mark.parametrize("error", [DataContractError("other values"), OSError("other values")])
def test_a_measurement_that_is_refused_or_breaks_gives_a_row_that_is_not_ok(error):
    def refuse(_):
        raise error

    found = bench.measured(SimpleNamespace(NAME="x", BOUND=2.0, UNIT="MB", measure=refuse), None)
    assert (found.ok, found.bound, found.unit, found.note) == (False, 2.0, "MB", "not measured: other values")
    assert bench.measured(SimpleNamespace(measure=lambda _: row()), None) == row()


def test_every_measurement_has_a_name_of_its_own_a_bound_and_a_unit():
    modules = [importlib.import_module(f"benchmarks.{name}") for name in bench.MEASUREMENTS]
    assert len({module.NAME for module in modules}) == len(modules)
    assert all(module.BOUND > 0 and module.UNIT and callable(module.measure) for module in modules)


def test_rows_can_be_asked_for_by_name_in_any_order():
    assert bench.chosen_names(()) == bench.MEASUREMENTS
    assert bench.chosen_names(("validation", "materialization")) == ("materialization", "validation")
    with pytest.raises(ConfigError, match="no measurement validating; there are: materialization"):
        bench.chosen_names(("validation", "validating"))


@pytest.mark.parametrize(("given", "months"), [(None, 12), ("", 12), ("3", 3)])
def test_the_year_is_measured_unless_the_environment_asks_for_fewer_months(monkeypatch, given, months):
    if given is not None:
        monkeypatch.setenv("AIRLOOP_BENCH_MONTHS", given)
    assert asked_months() == months


@pytest.mark.parametrize("given", ["1", "13", "-3", "all", "2.5"])
def test_other_numbers_of_months_are_refused(monkeypatch, given):
    monkeypatch.setenv("AIRLOOP_BENCH_MONTHS", given)
    with pytest.raises(ConfigError, match="give a number of months from 2 to 12"):
        asked_months()


def test_every_measurement_gets_a_folder_of_its_own(tmp_path):
    session = Session(tmp_path, 2, print)
    folders = [session.folder("name") for _ in range(2)]
    assert len({*folders}) == 2
    assert all(folder.is_dir() and folder.parent == tmp_path for folder in folders)


def test_the_table_shows_a_note_as_it_is_and_marks_what_is_not_ok():
    console = Console(file=io.StringIO(), width=160)
    console.print(bench.result_table([Row("x", 3, 1, bound=2, unit="s", note="columns [bold] and [/]")]))
    assert "columns [bold] and [/]" in console.file.getvalue()
    assert "│ 3.00 s │ 1.00 s │  3.00 │     2 │ no │" in console.file.getvalue()


def test_everything_but_the_landed_files_lies_below_the_temporary_home(tmp_path):
    assert settings_below(tmp_path).lake_uri == f"{tmp_path}/lake"
    assert settings_below(tmp_path, landing_uri="/elsewhere").landing_uri == "/elsewhere"


def test_each_data_stage_of_a_month_is_given_the_records_of_those_it_needs(toy_settings):
    given = {}

    def run(name, _at, _window, *, upstream):
        given[name] = dict(upstream)
        return f"record of {name}"

    records = run_data(toy.toy_pipeline(toy_settings), toy.days(0, 1), toy_settings, run=run)
    assert records == {name: f"record of {name}" for name in DATA_STAGES}
    assert given["validate_raw"] == {"ingest": "record of ingest"}
    assert given["materialize"] == {"validate_features": "record of validate_features"}


def test_a_lake_named_by_the_environment_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRLOOP_LAKE_URI", "s3://production/lake")
    with pytest.raises(ConfigError, match="AIRLOOP_LAKE_URI points outside"):
        settings_below(tmp_path)
