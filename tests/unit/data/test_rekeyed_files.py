"""A key that starts again in each file loses no row in silence; corrections, whatever they correct, pass."""

import pytest
from tests.support import landed, toy
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline
from airloop.data.ingest import ingest
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.records import Ingested
from airloop.settings import Settings


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


def _job(key: object, day: int, minute: int = 0, *, size: int = 1, hour: int = 10) -> str:
    return landed.job(str(key), planned=f"2020-01-{day:02d}T{hour:02d}:{minute:02d}:00Z", size=size)


def _day(day: int, suffix: str = "") -> str:
    return f"2020-01-{day:02d}{suffix}.csv"


def _ingest(pipeline: Pipeline, settings: Settings, days: int = 10) -> Ingested:
    return run_plainly(ingest, Deployment(pipeline, settings), toy.days(0, days))


def test_a_key_that_starts_again_every_day_fails_the_window_with_rows_and_files(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for day in range(1, 11):
        landed.put(toy_settings, _day(day), [_job(n, day, n, size=day + n) for n in range(20 + day % 3)])
    with pytest.raises(DataContractError, match="9 of 10 files of jobs are set aside") as failed:
        _ingest(pipeline, toy_settings)
    assert "2020-01-02.csv: has other events under the keys of" in str(failed.value)
    assert "rows of 2020-01-01.csv, first job '0'" in str(failed.value)


def test_one_file_that_starts_again_is_set_aside_and_no_row_of_the_others_is_lost(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for day in range(1, 11):
        landed.put(toy_settings, _day(day), [_job(day * 100 + n, day, n, size=n) for n in range(20)])
    landed.put(toy_settings, _day(5), [_job(400 + n, 5, n, size=n + 7) for n in range(20)])
    record = _ingest(pipeline, toy_settings)
    assert [item.uri.rsplit("/", 1)[-1] for item in record.set_aside] == [_day(5)]
    assert len(landed.rows(toy_settings)) == 9 * 20


def test_hourly_files_of_one_day_with_one_key_are_no_corrections(pipeline: Pipeline, toy_settings: Settings) -> None:
    for hour in range(1, 5):
        rows = [_job(n, 1, (n * hour) % 60, size=hour + n, hour=hour) for n in range(20)]
        landed.put(toy_settings, _day(1, f".{hour}"), rows)
    with pytest.raises(DataContractError, match="a key that starts again in each file identifies nothing"):
        _ingest(pipeline, toy_settings, 1)


@pytest.mark.parametrize(
    "correction",
    [
        pytest.param([_job(n, 1, n, size=n + 50) for n in range(20)], id="other values"),
        pytest.param([_job(n, 1, n, size=n, hour=15) for n in range(20)], id="another clock"),
        pytest.param([_job(n, 1, n, size=n + 50, hour=15) for n in range(20)], id="another clock and values"),
        pytest.param([_job(n, 1, n + 20, size=n + 50) for n in range(8)], id="some events moved"),
    ],
)
def test_a_correction_passes(pipeline: Pipeline, toy_settings: Settings, correction: list[str]) -> None:
    landed.put(toy_settings, _day(1), [_job(n, 1, n, size=n) for n in range(20)])
    landed.put(toy_settings, _day(1, ".1"), correction)
    record = _ingest(pipeline, toy_settings, 1)
    assert record.set_aside == ()
    assert len(landed.rows(toy_settings)) == 20


def test_events_that_moved_to_another_day_pass_and_are_counted(pipeline: Pipeline, toy_settings: Settings) -> None:
    for day in range(1, 11):
        landed.put(toy_settings, _day(day), [_job(day * 100 + n, day, n, size=n) for n in range(20)])
    landed.put(toy_settings, _day(7, ".1"), [_job(200 + n, 7, n, size=n + 1) for n in range(5)])
    record = _ingest(pipeline, toy_settings)
    assert (record.set_aside, record.replaced) == ((), {"jobs": 5})


def test_more_rows_lost_to_other_events_than_the_bound_fail_the_window(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for day in range(1, 11):
        landed.put(toy_settings, _day(day), [_job(day * 100 + n, day, n, size=n) for n in range(20)])
    for day in range(2, 11):  # under the bound of a file, above that of the window
        rows = [_job((day - 1) * 100 + n, day, n + 30, size=n + 1) for n in range(9)]
        landed.put(toy_settings, _day(day, ".1"), rows)
    with pytest.raises(DataContractError, match=r"81 of 281 rows of jobs would be replaced.*max_lost_share 0.2"):
        _ingest(pipeline, toy_settings)
    wide = pipeline.model_copy(update={"validation": pipeline.validation.model_copy(update={"max_lost_share": 0.5})})
    assert _ingest(wide, toy_settings).replaced == {"jobs": 81}


def test_keys_that_start_again_in_the_next_window_are_an_alarm_with_both_events(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    for day in range(1, 5):
        landed.put(toy_settings, _day(day), [_job(f"{day % 3}-{n}", day, n, size=n) for n in range(20)])
    first = run_plainly(ingest, Deployment(pipeline, toy_settings), toy.days(0, 3))
    second = run_plainly(ingest, Deployment(pipeline, toy_settings), toy.days(3, 4))
    assert first.alarms == ()
    (alarm,) = second.alarms
    assert (alarm.kind, alarm.subject, alarm.observed) == ("keys_again", "jobs", 20.0)
    assert "2020-01-04T10:00:00Z, which stood for 2020-01-01T10:00:00Z" in alarm.says


def test_a_few_events_that_moved_to_the_next_window_and_keys_with_their_time_are_none(
    pipeline: Pipeline, toy_settings: Settings
) -> None:
    toy.land(toy_settings, days=range(4))
    landed.put(toy_settings, _day(1), [_job(n, 1, n) for n in range(40)])
    landed.put(toy_settings, _day(2), [_job(n + 37, 2, n) for n in range(40)])
    for day in range(2):
        assert run_plainly(ingest, Deployment(pipeline, toy_settings), toy.days(day, day + 1)).alarms == ()
