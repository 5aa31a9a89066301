"""A row committed after its window was fetched: found by the next one and counted, and the bound is asked for."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support import toy, toy_sql

from airloop.authoring.pipeline_check import check_pipeline
from airloop.deployment import Deployment
from airloop.records import Extracted
from airloop.settings import Settings
from airloop.sources.extract import extract

REPOSITORY = Path(__file__).parents[3]
ASKED = "look: feeds.jobs.source.overlap_minutes is not declared"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return toy_sql.write_project(tmp_path / "project", REPOSITORY, f"sqlite:///{tmp_path}/shop.db")


def _add(settings: Settings, job: str, at: datetime) -> None:
    row = {"job": job, "machine": "m1", "planned_at": at, "starts_at": at, "size": 1, "updated_at": at}
    toy_sql.execute(settings, toy_sql.JOBS.insert().values(**row))


def _run(settings: Settings, day: int) -> Extracted:
    return extract(Deployment(toy.toy_pipeline(settings), settings), toy.days(day, day + 1))


def _before(day: int, minutes: int) -> datetime:
    return toy.days(day, day + 1).start - timedelta(minutes=minutes)


def test_without_a_declared_overlap_a_row_committed_within_the_hour_lands_once_and_is_counted(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    _add(settings, "a", _before(1, 30))
    assert _run(settings, 0).late == {}
    _add(settings, "late", _before(1, 20))
    with caplog.at_level(logging.WARNING, logger="airloop.sources.extract"):
        record = _run(settings, 1)
    assert (record.rows["jobs"], record.late) == (1, {"jobs": 1})
    assert "1 rows of jobs were committed after their window was fetched" in caplog.text
    assert Extracted.from_json(record.to_json()) == record
    assert sum(text.count('"late"') for text in toy_sql.landed(settings).values()) == 1
    assert sum(text.count('"a"') for text in toy_sql.landed(settings).values()) == 1
    correction = next(name for name, text in toy_sql.landed(settings).items() if '"late"' in text)
    assert correction.startswith("2020-01-01.to20200103")  # a correction of the day it is about


def test_the_first_window_looks_no_further_back_than_its_start(settings: Settings) -> None:
    _add(settings, "a", _before(1, 20))
    record = _run(settings, 1)
    assert (record.rows["jobs"], record.late) == (0, {})


def test_a_declared_overlap_is_kept_to(settings: Settings) -> None:
    toy_sql.declare(settings, "watermark: updated_at}", "watermark: updated_at, overlap_minutes: 10}")
    _run(settings, 0)
    _add(settings, "too late", _before(1, 20))
    _add(settings, "late", _before(1, 5))
    assert _run(settings, 1).late == {"jobs": 1}


@pytest.mark.parametrize(("declared", "asks"), [("", True), (", overlap_minutes: 0", False)])
def test_the_check_asks_for_the_overlap_until_it_is_declared(settings: Settings, declared: str, asks: bool) -> None:
    toy_sql.declare(settings, "watermark: updated_at}", f"watermark: updated_at{declared}}}")
    assert any(ASKED in line for line in check_pipeline("toy", settings)) is asks
