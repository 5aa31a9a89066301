"""What validation refuses is kept with its rules, its texts and its run, and shown where a person looks."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from tests.support import landed, toy
from tests.support.landed import FILE

from airloop.data import quarantine
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Validated, run_context
from airloop.run import input_key
from airloop.settings import Settings
from airloop.stores import lake

DAY, NEXT = toy.days(0, 1), toy.days(1, 2)
RANGE = "expect_column_values_to_be_between(size)"


def _spoil(settings: Settings, changes: dict[int, object], *, name: str = FILE, day: int = 0) -> None:
    """Land a day of the toy with other sizes of some jobs, by number."""
    toy.land(settings, days=range(day, day + 1))
    path = Path(settings.landing_uri) / "toy" / "jobs" / name
    lines = path.read_text().splitlines()
    for number, size in changes.items():
        lines[number + 1] = f"{lines[number + 1].rpartition(',')[0]},{size}"
    path.write_text("\n".join(lines) + "\n")


def _validate(settings: Settings, *, run: str = "run 1", window: toy.Window = DAY) -> Validated:
    with run_context.working_for(run):
        toy.run("ingest", settings, window)
        return toy.run("validate_raw", settings, window)


def _listed(settings: Settings) -> dict[str, quarantine.QuarantinedRow]:
    return {str(row.key["job"]): row for row in quarantine.list_rows(toy.toy_pipeline(settings), settings)}


def _page(validated: Validated) -> tuple[str, dict]:
    path = Path(validated.report_uri)
    return path.read_text(), json.loads(path.with_suffix(".json").read_text())


def test_rows_that_break_a_rule_and_rows_that_cannot_be_read_are_refused_alike(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1, 7: "many"})
    validated = _validate(toy_settings)
    assert len(landed.rows(toy_settings, layer="clean")) == 58
    assert {table.table: table.rows for table in validated.tables}["jobs"] == 58
    (check,) = [check for check in validated.checks if check.table == "jobs"]
    assert (check.rows, check.bad_rows, check.critical) == (60, 2, (RANGE, "type of size"))
    found = _listed(toy_settings)
    assert {name: (row.rules, row.values["size"], row.run) for name, row in found.items()} == {
        "j000-003": (RANGE, "-1", "run 1"),
        "j000-007": ("type of size", "many", "run 1"),
    }
    assert {row.window_start for row in found.values()} == {DAY.start}
    assert [str(row.source).rpartition("/")[2] for row in found.values()] == ["None", f"{FILE} line 9"]


def test_a_row_keeps_the_run_that_refused_it_first_and_new_ones_name_theirs(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1})
    _validate(toy_settings)
    _spoil(toy_settings, {3: -1, 7: "many"})
    _validate(toy_settings, run="run 2")
    assert {name: row.run for name, row in _listed(toy_settings).items()} == {"j000-003": "run 1", "j000-007": "run 2"}


def test_the_same_rows_judged_again_write_no_new_version(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _spoil(toy_settings, {3: -1, 7: "many"})
    first, before = _validate(toy_settings), landed.versions(toy_settings, "clean", "quarantine")
    monkeypatch.setattr(input_key, "code_digest", lambda _package: "other code")
    assert _validate(toy_settings, run="run 2") == first
    assert landed.versions(toy_settings, "clean", "quarantine") == before


def test_the_run_is_no_part_of_the_input(toy_settings: Settings) -> None:
    pipeline, given = toy.toy_pipeline(toy_settings), {"upstream": {}, "options": {}, "reads": {}}
    keys = set()
    for run in ("run 1", "run 2"):
        with run_context.working_for(run):
            keys.add(input_key.input_key("ingest", Deployment(pipeline, toy_settings), DAY, **given))
    assert len(keys) == 1


def test_outside_of_any_run_somebody_works_by_hand() -> None:
    with run_context.working_for("outer"):
        with run_context.working_for("inner"):
            assert run_context.current_run() == "inner"
        assert run_context.current_run() == "outer"
    assert run_context.current_run() == "by hand"


def test_repaired_rows_leave(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1, 7: "many"})
    _validate(toy_settings)
    _spoil(toy_settings, {})
    _validate(toy_settings)
    assert _listed(toy_settings) == {}
    assert len(landed.rows(toy_settings, layer="clean")) == 60


def test_rows_that_cannot_be_read_count_towards_the_bound(toy_settings: Settings) -> None:
    _spoil(toy_settings, {0: -1, 1: -1, 2: "x", 3: "y"})
    with pytest.raises(DataContractError, match=r"4 of 60 rows \(6.67%\) break a critical rule.*type of size 2"):
        _validate(toy_settings)
    assert landed.rows(toy_settings, layer="clean") == landed.rows(toy_settings, layer="quarantine") == []
    (page,) = Path(toy_settings.reports_uri).rglob("*.html")
    assert "&#x27;x&#x27; is not a whole number" in page.read_text()
    assert "airloop quarantine release" not in page.read_text()


def test_a_feed_with_no_row_that_can_be_read_fails_the_window_and_says_why(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    landed.put(toy_settings, FILE, [landed.job("a", size="many")])
    with pytest.raises(DataContractError, match=r"jobs: no rows in this window \(1 cannot be read\)"):
        _validate(toy_settings)


def test_the_page_shows_what_was_refused_and_how_to_release_it(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1, 7: "<many>"})
    html, content = _page(_validate(toy_settings))
    (feed,) = content["quarantine"]
    assert (feed["feed"], feed["rows"], feed["rules"]) == ("jobs", 2, {RANGE: 1, "type of size": 1})
    assert [row["key"] for row in feed["first"]] == [{"job": "j000-003"}, {"job": "j000-007"}]
    assert "airloop quarantine list toy --feed jobs --csv jobs.csv" in html
    assert "airloop quarantine release toy jobs jobs.csv" in html
    assert "size=&lt;many&gt;" in html


def test_the_page_names_the_files_set_aside(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    landed.put_bytes(toy_settings, FILE, b"")
    html, content = _page(_validate(toy_settings, window=toy.days(0, 2)))
    assert [item["feed"] for item in content["set_aside"]] == ["jobs"]
    assert f"{FILE}: is empty (0 bytes)" in html
    assert "files set aside: 1" in html


def test_a_page_without_anything_refused_says_nothing_of_it(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(1))
    html, content = _page(_validate(toy_settings))
    assert content["quarantine"] == content["set_aside"] == []
    assert "uarantine" not in html
    assert "et aside" not in html


def test_a_static_table_keeps_the_first_window_that_refused_its_row(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(2))
    landed.put(toy_settings, "machines.csv", ["m0,2000", "m1,new", *(f"m{i},1" for i in range(2, 30))], feed="machines")
    for window in (DAY, NEXT):
        html, _ = _page(_validate(toy_settings, window=window))
    (row,) = quarantine.list_rows(toy.toy_pipeline(toy_settings), toy_settings, feed="machines")
    assert (row.window_start, row.key) == (DAY.start, {"machine": "m1"})
    assert landed.versions(toy_settings, "quarantine")["quarantine/machines"] == 0
    assert "machines is a static table: repair its rows in machines.csv" in html


def test_rows_are_counted_by_the_window_of_their_events(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1, 7: "many"})
    _spoil(toy_settings, {1: -1}, name="2020-01-02.csv", day=1)
    _spoil(toy_settings, {3: -1, 7: "many"})
    for window in (DAY, NEXT):
        _validate(toy_settings, window=window)
    pipeline = toy.toy_pipeline(toy_settings)
    counts = [
        quarantine.count_rows(pipeline, toy.days(*days), toy_settings) for days in ((0, 1), (1, 2), (0, 9), (3, 9))
    ]
    assert counts == [2, 1, 3, 0]


def test_a_table_of_before_runs_were_told_is_read_and_written_on(toy_settings: Settings) -> None:
    _spoil(toy_settings, {3: -1})
    toy.run("ingest", toy_settings, DAY)
    raw = lake.read(lake.table_uri(toy_settings, "toy", "raw", "jobs"), toy_settings).slice(0, 1)
    old = raw.append_column("_rule", pa.array(["old rule"])).append_column(
        "_window_start", pa.array([DAY.start], lake.INSTANT)
    )
    uri = lake.table_uri(toy_settings, "toy", "quarantine", "jobs")
    lake.replace_window(uri, old, toy_settings, time_column="planned_at", window=DAY, sort_by=["job"])
    assert [(row.rules, row.run) for row in _listed(toy_settings).values()] == [("old rule", "unknown")]
    _validate(toy_settings)
    assert [(row.rules, row.run) for row in _listed(toy_settings).values()] == [(RANGE, "run 1")]


def test_files_set_aside_are_listed_until_they_are_replaced(toy_settings: Settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    toy.land(toy_settings, days=range(2))
    landed.put_bytes(toy_settings, FILE, b"")
    for window in (toy.days(0, 2), NEXT):
        toy.run("ingest", toy_settings, window)
    (item,) = quarantine.files_set_aside(pipeline, toy_settings)
    assert item.uri.endswith(f"jobs/{FILE}")
    landed.put(toy_settings, FILE, [landed.job("a")])
    assert quarantine.files_set_aside(pipeline, toy_settings) == []
