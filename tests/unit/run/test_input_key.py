"""What a stage's result depends on changes its input key, and nothing else does."""

import functools
from pathlib import Path
from typing import Any

import pytest
from tests.support import toy

from airloop.data import ingest
from airloop.deployment import Deployment
from airloop.records import Ingested, Record, Window
from airloop.records.digests import digest
from airloop.run import input_key
from airloop.settings import Settings

DAY = toy.days(0, 1)
FILE = "2020-01-01.csv"


@pytest.fixture
def landed(toy_settings: Settings) -> Settings:
    toy.land(toy_settings, days=range(2))
    return toy_settings


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """The windows for which ingest itself, not its stored record, was asked."""
    return _counted(monkeypatch, ingest, "ingest")


def _counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Window]:
    seen: list[Window] = []
    function = getattr(module, name)

    @functools.wraps(function)
    def counted(*given: Any, **options: Any) -> Record:
        seen.append(given[1])
        return function(*given, **options)

    monkeypatch.setattr(module, name, counted)
    return seen


def _key(settings: Settings, stage: str = "ingest", *, window: Window = DAY, **changes: Any) -> str:
    pipeline = toy.toy_pipeline(settings)
    reads = ingest.inputs(Deployment(pipeline, settings), window) if stage == "ingest" else None
    given = {"upstream": {}, "options": {}, "reads": reads, **changes}
    return input_key.input_key(stage, Deployment(pipeline, settings), window, **given)


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("include/pipelines/toy/pipeline.yaml", "lookback_days: 3", "lookback_days: 4"),
        ("include/pipelines/toy/features.sql", "celsius, known_at", "celsius + 1 AS celsius, known_at"),
        ("include/pipelines/toy/expectations.yaml", "max_value: 1000", "max_value: 999"),
        ("feature_repo/toy.py", "timedelta(hours=3)", "timedelta(hours=4)"),
    ],
)
def test_a_changed_declaration_is_a_new_input(landed: Settings, place: str, old: str, new: str) -> None:
    before = _key(landed)
    _edit(landed.project_dir / place, old, new)
    assert _key(landed) != before


@pytest.mark.parametrize("name", [".features.sql.swp", "features.sql~", "__pycache__/x"])
def test_what_an_editor_puts_beside_the_declaration_is_no_input(landed: Settings, name: str) -> None:
    before = _key(landed)
    path = landed.pipelines_dir / "toy" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("anything")
    assert _key(landed) == before


def test_a_comment_in_the_yaml_is_no_new_input(landed: Settings) -> None:
    before = _key(landed)
    _edit(landed.pipelines_dir / "toy" / "pipeline.yaml", "calendar: daily", "calendar: daily   # for now")
    assert _key(landed) == before


def test_a_changed_landed_file_is_a_new_input(landed: Settings, calls: list[Window]) -> None:
    toy.run("ingest", landed, DAY)
    _edit(Path(landed.landing_uri) / "toy" / "heat" / FILE, "m0,2020-01-01T00:00:00Z,", "m0,2020-01-01T00:00:00Z,1")
    toy.run("ingest", landed, DAY)
    assert len(calls) == 2


def test_changed_code_is_a_new_input(landed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _key(landed)
    monkeypatch.setattr(input_key, "code_digest", lambda _package: "other code")
    assert _key(landed) != before


def test_an_option_is_part_of_the_input(toy_settings: Settings) -> None:
    keys = {_key(toy_settings, "score", options=options) for options in ({}, {"mode": "live"}, {"mode": "backtest"})}
    assert len(keys) == 3


def test_another_upstream_record_is_a_new_input(toy_settings: Settings) -> None:
    uppers = [Ingested(window=DAY, files=(), tables=(), missing=missing) for missing in ((), ("jobs",))]
    keys = [_key(toy_settings, "validate_raw", upstream={"ingest": upper}) for upper in (*uppers, uppers[0])]
    assert keys[0] == keys[2] != keys[1]


def test_another_upstream_record_than_the_needed_ones_is_no_input(toy_settings: Settings) -> None:
    upper = Ingested(window=DAY, files=(), tables=(), missing=())
    more = {"ingest": upper, "train": upper}
    assert _key(toy_settings, "validate_raw", upstream=more) == _key(
        toy_settings, "validate_raw", upstream={"ingest": upper}
    )


def test_two_stages_have_two_keys_for_the_same_input(toy_settings: Settings) -> None:
    assert _key(toy_settings, "snapshot") != _key(toy_settings, "score")


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
