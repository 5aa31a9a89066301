"""`airloop pipelines new`: four files that pass the check at once, with what is left to decide, or nothing at all."""

from pathlib import Path

import pytest
import yaml
from tests.support import tables
from tests.support.command import Airloop

from airloop.authoring import pipeline_check
from airloop.authoring.pipeline_check import check_pipeline
from airloop.authoring.scaffold import NamedRoles, example_path, left_to_decide, new_pipeline, written_paths
from airloop.config import load_pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.settings import Settings
from airloop.sources.land_dialect import Dialect

ORDERS = tables.orders()


def files(settings: Settings) -> set[str]:
    return {str(path.relative_to(settings.project_dir)) for path in settings.project_dir.rglob("*") if path.is_file()}


def new(settings: Settings, rows: list[dict[str, str]], name: str = "returns", **asked: object) -> None:
    path = tables.write(settings.project_dir.parent / "orders.csv", rows)
    new_pipeline(name, path, NamedRoles(**asked), Dialect(), settings)  # type: ignore[arg-type]


def test_the_four_files_pass_the_check_and_nothing_else_is_written(toy_settings: Settings) -> None:
    before = files(toy_settings)
    new(toy_settings, ORDERS)
    assert files(toy_settings) - before == {*written_paths("returns"), example_path("returns")}
    assert len(written_paths("returns")) == 4
    assert check_pipeline("returns", toy_settings)[0] == "pipeline.yaml: 2 feeds, 2 candidates"


def test_the_declaration_says_what_was_inferred(toy_settings: Settings) -> None:
    new(toy_settings, ORDERS)
    pipeline = load_pipeline("returns", toy_settings)
    assert pipeline.feeds["events"].columns == {
        "order_id": "string", "ordered_at": "timestamp", "amount": "float", "country": "string",
        "new_customer": "boolean", "remark": "string", "paid_at": "timestamp",
    }  # fmt: skip
    assert list(pipeline.feeds["outcomes"].columns) == ["order_id", "ordered_at", "returned"]
    assert pipeline.outcome_feeds == ("outcomes",)
    assert (pipeline.prediction.task, pipeline.prediction.entity_key) == ("binary", "order_id")
    assert pipeline.training.holdout_days == 14
    assert (pipeline.gate.floors[0].metric, pipeline.gate.probation) == ("brier", "roll_back")
    assert [trigger.kind for trigger in pipeline.monitoring.declared_triggers] == ["probe", "growth"]
    assert pipeline.gate.compare.rule["growth"] == "not_surely_worse"


def test_a_declaration_stays_short_and_its_lines_readable(toy_settings: Settings) -> None:
    new(toy_settings, ORDERS)
    for path in written_paths("returns"):
        lines = (toy_settings.project_dir / path).read_text().splitlines()
        assert len(lines) < 60, path
        assert max(len(line.split("   # ")[0]) for line in lines) <= 125, path


def test_free_text_is_declared_and_is_a_feature(toy_settings: Settings, airloop: Airloop) -> None:
    remarks = [f"it came late on day {number % 100} and was sent back" for number in range(len(ORDERS))]
    new(toy_settings, tables.with_column(ORDERS, "remark", remarks))
    assert load_pipeline("returns", toy_settings).training.text == ("remark",)
    shown = airloop("pipelines", "check", "returns")
    assert shown.code == 0
    assert "text: [remark]  # free text, read by its words and not as categories" in shown.out


def test_every_assumption_is_listed_with_file_and_line(toy_settings: Settings) -> None:
    new(toy_settings, tables.with_column(ORDERS, "month", ["3"] * len(ORDERS)), label="returned")
    found = left_to_decide("returns", toy_settings)
    said = "\n".join(f"{point.path.name}: {point.assumed}" for point in found)
    for assumption in (
        "pipeline.yaml: who answers for this pipeline",
        "pipeline.yaml: order_id is unique in the table",
        "pipeline.yaml: returned is known a day after ordered_at",
        "pipeline.yaml: column month was left out: the name is airloop's own",
        "features.sql: every column is assumed to be known at ordered_at",
        "features.sql: remark is not a feature: 600 different texts are names, or prose without words to learn from",
        "features.sql: paid_at is not a feature: a timestamp",
        "features.sql: 1 stands for returned = 'yes'",
        "expectations.yaml: numbers may lie",
    ):
        assert assumption in said
    for point in found:
        assert point.assumed in point.path.read_text().splitlines()[point.line - 1]


def test_the_check_lists_what_is_left_and_stays_green_until_it_is_decided(
    toy_settings: Settings, airloop: Airloop
) -> None:
    new(toy_settings, ORDERS)
    shown = airloop("pipelines", "check", "returns")
    assert shown.code == 0
    assert (
        "left to decide: include/pipelines/returns/pipeline.yaml:5: owner: nobody  # who answers for this pipeline"
        in shown.out
    )
    path = toy_settings.pipelines_dir / "returns" / "pipeline.yaml"
    path.write_text("\n".join(line.split("# decide:")[0] for line in path.read_text().splitlines()))
    assert "pipeline.yaml:" not in airloop("pipelines", "check", "returns").out.split("left to decide", 1)[1]
    assert "left to decide" not in airloop("pipelines", "check", "toy").out


def test_the_command_prints_the_next_commands_as_they_have_to_be_typed(
    toy_settings: Settings, airloop: Airloop, tmp_path: Path
) -> None:
    rows = tables.with_column(ORDERS, "ordered_at", [row["ordered_at"].removesuffix("Z") for row in ORDERS])
    rows = tables.with_column(rows, "paid_at", [row["ordered_at"] for row in rows])
    rows = tables.with_column(rows, "amount", ["NA", *(row["amount"] for row in ORDERS[1:])])
    table = str(tables.write(tmp_path / "my orders.csv", rows))
    options = ("--timezone", "Asia/Tokyo", "--missing", "NA")
    shown = airloop(
        "pipelines", "new", "returns", "--from", table, "--key", "order_id", "--time", "ordered_at", *options
    )
    assert shown.code == 0, shown.err
    command = f"airloop land returns events '{table}' --timezone Asia/Tokyo --missing NA"
    assert command in shown.out
    landed = airloop("land", "returns", "events", table, *options)
    assert landed.code == 0, landed.err
    assert "600 rows: 50 new files, 0 corrections, 0 as they were" in landed.out
    assert "not declared by the feed, left out: returned" in landed.out
    assert "day_timezone: Asia/Tokyo" in (toy_settings.project_dir / written_paths("returns")[0]).read_text()


@pytest.mark.parametrize("name", ["Returns", "2nd", "my-returns", "a__b", "_a", "a_", "", "x" * 51, "../escape"])
def test_what_is_no_name_is_refused_with_the_pattern(toy_settings: Settings, name: str) -> None:
    before = files(toy_settings)
    with pytest.raises(ConfigError, match="small letters, digits and single underscores"):
        new(toy_settings, ORDERS, name)
    assert files(toy_settings) == before


@pytest.mark.parametrize("there", ["include/pipelines/returns/notes.txt", "feature_repo/returns.py"])
def test_what_exists_is_not_overwritten(toy_settings: Settings, there: str) -> None:
    path = toy_settings.project_dir / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = files(toy_settings)
    with pytest.raises(ConfigError, match="exists, and is not overwritten"):
        new(toy_settings, ORDERS)
    assert files(toy_settings) == before
    assert path.read_text() == "mine"


def _column(name: str, *values: str) -> list[dict[str, str]]:
    return tables.with_column(ORDERS, name, [values[number % len(values)] for number in range(len(ORDERS))])


def _renamed(names: dict[str, str]) -> list[dict[str, str]]:
    return [{names.get(name, name): cell for name, cell in row.items()} for row in ORDERS]


@pytest.mark.parametrize(
    ("rows", "asked", "says"),
    [
        (tables.without(ORDERS, "ordered_at", "paid_at"), {}, r"no timestamp column\. airloop trains on older rows"),
        (tables.without(_column("ordered_at", "1.2.2013"), "paid_at"), {}, "looks like times.*--time-format"),
        (_column("ordered_at", "2021-03-01 10:00"), {"time": "ordered_at"}, "without an offset.*--timezone"),
        (tables.without(_column("ordered_at", "2021-03-01"), "paid_at"), {}, "no timestamp column.*--timezone"),
        (tables.without(_column("ordered_at", "1269424260"), "paid_at"), {},
         "1269424260, which as epoch_seconds is 2010-03-24 09:51: .* --time-format ordered_at=epoch_seconds"),
        (ORDERS, {"time": "amount"}, "--time amount: 'amount' is a float"),
        (ORDERS, {"time": "paid_at"}, "--time paid_at: 200 rows of .* have no value"),
        (tables.without(ORDERS, "ordered_at"), {}, "'paid_at' is a timestamp, but 200 rows have none"),
        (ORDERS, {"time": "orderd_at"}, "--time: .* did you mean 'ordered_at'"),
        (ORDERS, {"key": ("country",)}, "--key country: 600 rows .* share their key with another, first country="),
        (ORDERS, {"key": ("paid_at",)}, "--key paid_at: 200 rows of .* have no value"),
        (tables.without([ORDERS[0]] * 600, "order_id"), {}, "unique: name the columns that identify a row by --key"),
        (ORDERS, {"key": ("order_id",), "label": "order_id"}, "--label order_id: the column is the key or the time"),
        (ORDERS, {"label": "remark"}, r"--label remark: 600 different values \(string\) make no label"),
        (_column("returned", "no"), {"label": "returned"}, "--label returned: 1 value in 600 rows: there is nothing"),
        (ORDERS, {"label": "returned", "task": "regression"}, "make no regression label"),
        (ORDERS, {"label": "amount", "task": "binary"}, "make no binary label"),
        (tables.without(ORDERS, "amount", "new_customer", "country", "returned"), {}, "no column fits as label"),
        (tables.without(ORDERS, "amount", "new_customer", "country"), {}, "no column is a feature .remark: 600 diff"),
        (_renamed({"amount": "known_at", "new_customer": "created_at", "country": "month"}), {"label": "returned"},
         "known_at: the name is airloop's own"),
        (tables.without(_column("ordered_at", "20210301"), "paid_at"), {}, "--time COLUMN --time-format .*'20210301'"),
        (tables.with_column(ORDERS, "month", ["1", "2"] * 300), {"label": "month"}, "--label month: .* airloop's own"),
        (ORDERS[:100], {}, "100 rows with a label from 2021-03-01 to 2021-03-09 are too few"),
        ([{**row, "ordered_at": "2021-03-01T10:00:00Z"} for row in ORDERS], {}, "are too few"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_pipeline_is_refused_and_nothing_is_written(
    toy_settings: Settings, rows: list[dict[str, str]], asked: dict[str, object], says: str
) -> None:
    before = files(toy_settings)
    with pytest.raises((ConfigError, DataContractError), match=says):
        new(toy_settings, rows, **asked)
    assert files(toy_settings) == before


def test_an_unknown_task_is_refused(airloop: Airloop, tmp_path: Path) -> None:
    table = str(tables.write(tmp_path / "orders.csv", ORDERS))
    failed = airloop("pipelines", "new", "returns", "--from", table, "--task", "ranking")
    assert failed.code == 1
    assert failed.err.strip().endswith("there is no such task (tasks: binary, regression, multiclass)")


@pytest.mark.parametrize("broken", ["check_pipeline", "rename"])
def test_an_error_while_writing_leaves_nothing(
    toy_settings: Settings, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = files(toy_settings)
    rename = Path.rename

    def refuse(*_: object) -> None:
        raise ConfigError("broken on purpose")

    def refuse_folder(self: Path, target: Path) -> Path:
        if self.is_dir():
            raise OSError("broken on purpose")
        return rename(self, target)

    with monkeypatch.context() as patch:
        if broken == "rename":
            patch.setattr(Path, "rename", refuse_folder)
        else:
            patch.setattr(pipeline_check, "check_pipeline", refuse)
        with pytest.raises((ConfigError, OSError), match="broken on purpose"):
            new(toy_settings, ORDERS)
    assert files(toy_settings) == before
    assert [path.name for path in toy_settings.pipelines_dir.parent.iterdir()] == ["pipelines"]
    new(toy_settings, ORDERS)


def test_a_header_with_anything_in_it_makes_a_pipeline(toy_settings: Settings) -> None:
    odd = {
        "amount": "Total (€)",
        "country": "on",
        "new_customer": "select",
        "ordered_at": "time: UTC",
        "order_id": "Nr.",
    }
    rows = [{odd.get(name, name): cell for name, cell in row.items()} for row in ORDERS]
    new(toy_settings, rows, key=("Nr.",))
    check_pipeline("returns", toy_settings)
    declared = yaml.safe_load((toy_settings.pipelines_dir / "returns" / "pipeline.yaml").read_text())
    assert declared["feeds"]["events"]["event_time"] == "time: UTC"
    assert declared["feeds"]["events"]["columns"]["on"] == "string"
