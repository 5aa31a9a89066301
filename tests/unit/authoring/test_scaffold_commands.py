"""What `pipelines new` prints: what it saw, what to look at, and the next commands word for word."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.support import tables
from tests.support.waiting import bound

from airloop.authoring.scaffold.time_hints import counted_from_1970, formats_of
from airloop.config import load_pipeline
from airloop.settings import Settings
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import read_table
from airloop_platform import cli

ORDERS = tables.orders()


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    said = capsys.readouterr()
    assert left.value.code == 0, said.err
    return said.out


@pytest.fixture
def project(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_settings.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_settings.home))
    return toy_settings


def test_the_printed_commands_lead_to_a_scored_period(project: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    table = tables.write(project.project_dir / "orders.csv", ORDERS)
    said = printed(capsys, "pipelines", "new", "returns", "--from", str(table))
    commands = [line.strip() for line in said.splitlines() if line.startswith("  airloop run ")]
    assert commands == [
        "airloop run data returns --end 2021-04-12T00:00:00Z",
        "airloop run training returns --end 2021-04-12T00:00:00Z",
        "airloop run promote returns --end 2021-04-12T00:00:00Z",
        "airloop run data returns --start 2021-04-12T00:00:00Z --end 2021-04-19T00:00:00Z",
        "airloop run score returns --start 2021-04-12T00:00:00Z --end 2021-04-19T00:00:00Z",
    ]
    assert "returns__scoring for 2021-04-12T00:00:00Z to 2021-04-19T00:00:00Z" in said


def test_without_a_period_to_spare_nothing_is_said_of_scoring(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tables.write(project.project_dir / "orders.csv", tables.orders(150, 50))
    said = printed(capsys, "pipelines", "new", "returns", "--from", str(table))
    assert "airloop run promote returns --end 2021-04-01T00:00:00Z" in said
    assert "scor" not in said


def test_a_column_that_tells_the_label_is_named_at_once(project: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tables.with_column(ORDERS, "refund", ["9" if row["returned"] == "yes" else "0" for row in ORDERS])
    table = str(tables.write(project.project_dir / "orders.csv", rows))
    said = printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert "look: column refund tells the label apart by itself (ROC-AUC 1.000); a feature has to be known at" in said


def test_a_refusal_does_not_wait_for_the_libraries_that_check_a_pipeline(project: Settings) -> None:
    table = tables.write(project.project_dir / "orders.csv", tables.without(ORDERS, "ordered_at", "paid_at"))
    command = ["pipelines", "new", "returns", "--from", str(table)]
    code = f"""
import sys
from airloop_platform import cli
try:
    cli.main({command})
except SystemExit as left:
    sys.exit(f"{{left.code}} {{sorted({{'feast', 'great_expectations', 'mlflow', 'sklearn'}} & set(sys.modules))}}")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=bound(120), check=False)
    assert "no timestamp column" in done.stderr
    assert done.stderr.splitlines()[-1] == "1 []"


def test_how_the_table_is_written_is_repeated_for_landing_and_lands(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {**row, "ordered_at": f"{row['ordered_at'][8:10]}.{row['ordered_at'][5:7]}.2021 {row['ordered_at'][11:16]}"}
        for row in tables.without(ORDERS, "paid_at")
    ]
    path = Path(tables.write(project.project_dir / "orders.csv", rows))
    path.write_text(path.read_text().replace(",", ";").replace(".", ",").replace(",2021", ".2021"))
    path.write_text(path.read_text().replace(",03.2021", ".03.2021").replace(",04.2021", ".04.2021"))
    options = ("--separator", ";", "--decimal", ",", "--time-format", "%d.%m.%Y %H:%M", "--timezone", "UTC")
    said = printed(capsys, "pipelines", "new", "returns", "--from", str(path), *options)
    expected = "--separator ';' --decimal , --time-format '%d.%m.%Y %H:%M' --timezone UTC"
    assert f"airloop land returns events {path} {expected}" in said
    assert "600 rows: 50 new files" in printed(capsys, "land", "returns", "events", str(path), *options)
    landed = Path(f"{project.landing_uri.removeprefix('file://')}/returns/events/2021-03-01.csv").read_text()
    assert "2021-03-01T00:00:00Z" in landed
    assert landed.startswith("order_id,ordered_at,amount,")


def test_numbers_that_are_text_for_a_mark_are_pointed_out(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = [f"{number % 90}%" for number in range(len(ORDERS))]
    table = tables.write(project.project_dir / "orders.csv", tables.with_column(ORDERS, "discount", shares))
    said = printed(capsys, "pipelines", "new", "returns", "--from", str(table), "--label", "returned")
    assert "look: column discount is taken as text: '0%' is not a plain number" in said
    assert "column country is taken" not in said


def test_a_class_too_rare_to_learn_is_looked_at_and_one_that_is_not_is_not(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tables.with_column(
        ORDERS, "ending", ["lost" if number % 60 == 7 else row["returned"] for number, row in enumerate(ORDERS)]
    )
    table = tables.write(project.project_dir / "orders.csv", tables.without(rows, "returned"))
    said = printed(capsys, "pipelines", "new", "endings", "--from", str(table), "--label", "ending")
    assert "look: only 10 rows are ending = lost: too few to learn from and to judge on" in said
    assert said.count("too few to learn from") == 1
    printed(capsys, "pipelines", "new", "returns", "--from", str(tables.write(table, ORDERS)), "--label", "returned")
    searched = {
        name: load_pipeline(name, project).training.candidates["gradient_boosting"] for name in ("endings", "returns")
    }
    steps = {name: candidate.search["learning_rate"].high for name, candidate in searched.items()}
    assert steps == {"endings": 0.1, "returns": 0.3}
    assert "l2_regularization" in searched["endings"].params
    assert "l2_regularization" not in searched["returns"].params


def test_the_next_step_is_the_replay(project: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    table = tables.write(project.project_dir / "orders.csv", ORDERS)
    said = printed(capsys, "pipelines", "new", "returns", "--from", str(table))
    lines = [line.split("  ")[1] for line in said.splitlines() if line.startswith("  airloop ")]
    assert lines.index("airloop replay returns") == lines.index(f"airloop land returns outcomes {table}") + 1


def test_a_column_that_is_not_a_feature_is_named_with_its_reason(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tables.with_column(ORDERS, "shop", ["one"] * len(ORDERS))
    table = str(tables.write(project.project_dir / "orders.csv", rows))
    said = printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert "column shop is not a feature: it never varies" in said
    assert "column remark is not a feature: 600 different texts are names, or prose without words to learn from" in said
    assert "column amount is" not in said


def test_which_word_stands_for_1_and_which_other_time_there_is_are_said(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tables.with_column(
        ORDERS, "paid_at", [f"2021-01-{place % 28 + 1:02d}T00:00:00Z" for place in range(len(ORDERS))]
    )
    table = str(tables.write(project.project_dir / "orders.csv", rows))
    said = printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert "label returned (binary: 1 stands for 'yes', 0 for 'no')" in said
    assert "look: the time could also be paid_at: --time says which instant a row is about" in said


def test_of_numbers_and_of_one_time_nothing_is_said(project: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tables.with_column(ORDERS, "returned", ["1" if row["returned"] == "yes" else "0" for row in ORDERS])
    table = str(tables.write(project.project_dir / "orders.csv", rows))
    said = printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert "label returned (binary)" in said
    assert "could also be" not in said


@pytest.mark.parametrize(
    ("times", "formats"),
    [
        (["2010/01/01 00:00:00"], ["%Y/%m/%d %H:%M:%S"]),
        (["01/04/2010 00:04", "02/05/2010 03:04"], ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]),
        (["01/04/2010 00:04", "30/04/2010 00:04"], ["%d/%m/%Y %H:%M"]),
        (["12/24/2013 05:06:07 PM", None], ["%m/%d/%Y %I:%M:%S %p"]),
        (["Jan 5, 2013"], ["%b %d, %Y"]),
        (["31/04/2010 00:04"], []),
    ],
)
def test_the_formats_that_read_every_time_are_offered(times: list[str], formats: list[str]) -> None:
    assert formats_of(pl.Series("at", times)) == formats


@pytest.mark.parametrize(
    ("number", "word"),
    [("1269424260", "at=epoch_seconds"), ("1269424260000", "at=epoch_milliseconds"), ("20210301", "")],
)
def test_whole_numbers_that_could_be_an_epoch_are_offered_as_one(tmp_path: Path, number: str, word: str) -> None:
    rows = [{"at": number, "answer": str(place)} for place in range(3)]
    assert counted_from_1970(read_table(tables.write(tmp_path / "t.csv", rows), Dialect())).endswith(word)


def test_a_year_of_days_is_held_out_as_far_as_a_metric_needs(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    table = str(tables.write(project.project_dir / "orders.csv", tables.orders(365, 365)))
    printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert load_pipeline("returns", project).training.holdout_days == 30


def test_of_many_columns_that_follow_the_label_some_are_named(
    project: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ORDERS
    for number in range(15):
        rows = tables.with_column(rows, f"refund_{number}", ["9" if row["returned"] == "yes" else "0" for row in rows])
    table = str(tables.write(project.project_dir / "orders.csv", rows))
    said = printed(capsys, "pipelines", "new", "returns", "--from", table, "--label", "returned")
    assert said.count("tells the label apart by itself") == 12
    assert "look: ... and 3 more columns like these, each named in features.sql" in said
