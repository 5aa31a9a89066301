"""`airloop test`: written rows through features.sql, compared with what is expected; every difference is one line."""

from pathlib import Path

import pytest
from tests.support import tables, toy
from tests.support.command import Airloop

from airloop.settings import Settings

PASSES = """
given:
  jobs:
    - {job: a, machine: m1, planned_at: 2020-01-01T00:00:00Z, starts_at: 2020-01-01T02:00:00Z, size: 7}
    - {job: "007", machine: m2, planned_at: 2020-01-01T00:00:00Z, starts_at: 2020-01-01T03:00:00Z, size: null}
  heat:
    - {machine: m1, measured_at: 2020-01-01T01:00:00Z, celsius: 51.5}
  failures: failures.csv
expect:
  job_static:
    - {job: a, job_size: 7, machine_code: m1}
    - {job: "007", job_size: null, machine_code: m2}
  machine_heat:
    - {machine: m1, celsius: 51.5, known_at: 2020-01-01T01:01:00Z}
  examples:
    - {job: "007", decision_time: 2020-01-01T02:30:00Z}
    - {job: a, decision_time: 2020-01-01T01:30:00Z}
  labels:
    - {job: a, label: 1}
"""


@pytest.fixture
def folder(toy_settings: Settings) -> Path:
    folder = toy_settings.pipelines_dir / "toy" / "tests"
    folder.mkdir()
    (folder / "failures.csv").write_text("job,ended_at,failed\na,2020-01-01T03:00:00Z,true\n")
    return folder


def test_rows_as_expected_pass_in_any_order(folder: Path, airloop: Airloop) -> None:
    (folder / "first.yaml").write_text(PASSES)
    done = airloop("test", "toy")
    assert (done.code, done.out.strip()) == (0, "include/pipelines/toy/tests/first.yaml: ok, 6 rows as expected")


@pytest.mark.parametrize(("size", "passes"), [("null", True), ("3", False)])
def test_a_row_is_compared_by_the_columns_it_names(folder: Path, airloop: Airloop, size: str, passes: bool) -> None:
    # Job a names less and stands first: it must not take the row of the other, which fits it, too.
    rows = ("    - {job: a, job_size: 7, machine_code: m1}\n", '    - {job: "007", job_size: null, machine_code: m2}\n')
    assert "".join(rows) in PASSES
    named = (
        f"    - {{job: b}}\n    - {{job: a, job_size: 7}}\n    - {{job: '007', job_size: {size}, machine_code: m2}}\n"
    )
    more = "    - {job: b, machine: m3, planned_at: 2020-01-01T00:00:00Z, starts_at: 2020-01-01T04:00:00Z, size: 1}\n"
    text = PASSES.replace("".join(rows), named).replace("  heat:\n", f"{more}  heat:\n", 1)
    text = text.replace("  examples:\n", "  examples:\n    - {job: b}\n")
    (folder / "first.yaml").write_text(text)
    done = airloop("test", "toy")
    assert (done.code == 0, "job_size is null, expected 3" in done.out) == (passes, not passes)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("label: 1", "label: 0", "labels: job=a: label is 1, expected 0"),
        ("job_size: null", "job_size: 3", "job_static: job=007: job_size is null, expected 3"),
        ("celsius: 51.5, known_at", "celsius: 51, known_at", "machine_heat: machine=m1: celsius is 51.5, expected 51"),
        ("    - {job: a, label: 1}\n", "    - {job: b, label: 1}\n", "labels: missing: job=b, label=1"),
        ("    - {job: a, label: 1}\n", "    - {job: b, label: 1}\n", "labels: not expected: job=a, label=1"),
        ("T02:30:00Z}", "T02:31:00Z}", "decision_time is 2020-01-01T02:30:00Z, expected 2020-01-01T02:31:00Z"),
    ],
)
def test_what_differs_is_said_by_row_and_column(folder: Path, airloop: Airloop, old: str, new: str, says: str) -> None:
    assert old in PASSES
    (folder / "first.yaml").write_text(PASSES.replace(old, new, 1))
    failed = airloop("test", "toy")
    assert failed.code == 1
    assert says in failed.out
    assert "1 test of toy does not give what it expects" in failed.err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "  heat:",
            "  heats:",
            "first.yaml:6: 'heats' is none of jobs, heat, machines, failures; did you mean",
        ),
        ("celsius: 51.5}", "celcius: 51.5}", "'celcius' is none of machine, measured_at, celsius; did you mean"),
        ("celsius: 51.5}", "celsius: hot}", "given.heat: celsius is not of type float"),
        ("expect:", "expects:", "'expects' is none of given, window, expect; did you mean 'expect'?"),
        ("  machine_heat:", "  machine_heats:", "expect.machine_heats is none of job_static, machine_heat"),
        ("job_size: 7", "job_sice: 7", "expect.job_static: has no column 'job_sice'"),
        ("label: 1", "label: yes", "expect.labels: label is double, and 'yes' is not one"),
        ("failures.csv", "failure.csv", "there is no file"),
    ],
)
def test_a_word_that_is_none_is_refused_with_file_and_nearest(
    folder: Path, airloop: Airloop, old: str, new: str, says: str
) -> None:
    assert old in PASSES
    (folder / "first.yaml").write_text(PASSES.replace(old, new, 1))
    refused = airloop("test", "toy")
    assert refused.code == 1
    assert says in " ".join(refused.err.split())


def test_without_a_test_the_refusal_shows_how_one_looks(toy_settings: Settings, airloop: Airloop) -> None:
    refused = airloop("test", "toy")
    assert refused.code == 1
    assert "no test is there; write one" in refused.err
    assert toy.toy_pipeline(toy_settings).name in refused.err


def test_a_new_pipeline_comes_with_two_rows_that_pass(toy_settings: Settings, airloop: Airloop) -> None:
    table = tables.write(toy_settings.project_dir / "orders.csv", tables.orders())
    said = airloop("pipelines", "new", "returns", "--from", str(table)).out
    assert "wrote include/pipelines/returns/tests/two_rows.yaml" in said
    done = airloop("test", "returns")
    assert (done.code, done.out.strip()) == (0, "include/pipelines/returns/tests/two_rows.yaml: ok, 4 rows as expected")
    written = (toy_settings.pipelines_dir / "returns" / "tests" / "two_rows.yaml").read_text()
    assert "label: '0'" in written
    assert "label: '1'" in written
