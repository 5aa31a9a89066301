"""What a review runs over: whole periods, as many as one training needs, of files that were copied or replayed."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import toy

from airloop.authoring.review import files, span
from airloop.config import Pipeline
from airloop.errors import ConfigError, DataContractError
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores.landed_files import list_files


def pipeline_of(settings: Settings, **changes: Any) -> Pipeline:
    return toy.toy_pipeline(settings).model_copy(update=changes)


def with_training(pipeline: Pipeline, **changes: Any) -> Pipeline:
    return pipeline.model_copy(update={"training": pipeline.training.model_copy(update=changes)})


class Replay:
    """An upstream system that lands the toy's days; `landed` is how far it got, whatever was asked for."""

    feeds = ("jobs", "heat", "machines", "failures")
    landed = toy.DAYS

    def land(self, root: str, *, until: datetime, feeds: Any = None, storage_options: Any = None) -> tuple[str, ...]:
        count = min(self.landed, (until - toy.START).days)
        folder = Path(root)
        elsewhere = Settings(project_dir=folder, home=folder, landing_uri=str(folder.parent))
        toy.land(elsewhere, days=range(count))
        for feed in set(self.feeds) - set(feeds or self.feeds):
            shutil.rmtree(folder / feed)
        return ()


@pytest.fixture
def replayed(toy_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr(files, "resolve", lambda _path: Replay)
    return pipeline_of(toy_settings, replay="somewhere:Replay")


@pytest.mark.parametrize(
    ("rows_a_day", "days"),
    [
        (None, 15 + 1 + 15 + 1),  # as long as the holdout
        (60.0, 15 + 1 + 15 + 1),
        (5.0, 25 + 1 + 15 + 1),  # 100 rows, a quarter to spare
    ],
)
def test_a_span_holds_training_embargo_holdout_and_label_delay(
    toy_settings: Settings, rows_a_day: float | None, days: int
) -> None:
    assert span.days_needed(pipeline_of(toy_settings), rows_a_day) == days


def test_training_lasts_at_least_as_long_as_features_look_back(toy_settings: Settings) -> None:
    pipeline = pipeline_of(toy_settings)
    longer = pipeline.model_copy(update={"features": pipeline.features.model_copy(update={"lookback_days": 28})})
    assert span.days_needed(longer, 60.0) == 28 + 1 + 15 + 1


def test_every_fold_of_the_tuning_holds_more_than_an_embargo(toy_settings: Settings) -> None:
    pipeline = with_training(pipeline_of(toy_settings), embargo_days=7, holdout_days=14)
    assert span.days_needed(pipeline, 60.0) == 3 * 8 + 7 + 14 + 1


def test_rows_a_day_are_counted_in_the_outcomes_that_carry_the_key(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(10))
    pipeline = pipeline_of(toy_settings)
    assert span.rows_a_day(pipeline, list_files(pipeline, toy_settings), toy_settings) == toy.ROWS_A_DAY
    assert span.rows_a_day(pipeline, (), toy_settings) is None


def test_a_key_made_of_several_columns_is_counted_in_the_outcomes(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(10))
    pipeline = pipeline_of(toy_settings)
    made = pipeline.model_copy(update={"prediction": pipeline.prediction.model_copy(update={"entity_key": "row_id"})})
    assert span.rows_a_day(made, list_files(made, toy_settings), toy_settings) == toy.ROWS_A_DAY


def test_without_such_an_outcome_the_first_feed_with_the_key_is_counted(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(3))
    pipeline = pipeline_of(toy_settings)
    feeds = {name: feed for name, feed in pipeline.feeds.items() if name != "failures"}
    keyed = pipeline.model_copy(update={"feeds": feeds})
    assert span.rows_a_day(keyed, list_files(keyed, toy_settings), toy_settings) == toy.ROWS_A_DAY
    nothing = keyed.model_copy(update={"feeds": {"heat": feeds["heat"]}})
    assert span.rows_a_day(nothing, list_files(nothing, toy_settings), toy_settings) is None


@pytest.mark.parametrize(
    ("calendar", "windows"),
    [
        ("monthly", [(0, 31), (31, 60)]),
        ("weekly", [(0, 5), (5, 12), (12, 19), (19, 26), (26, 33), (33, 40)]),
        ("daily", [(day, day + 1) for day in range(35)]),
        ("hourly", [(day, day + 1) for day in range(35)]),
    ],
)
def test_the_first_periods_are_whole_and_start_with_the_coverage(
    toy_settings: Settings, calendar: str, windows: list[tuple[int, int]]
) -> None:
    found = span.first_periods(pipeline_of(toy_settings, calendar=calendar), 35)
    assert found == tuple(toy.days(*window) for window in windows)


def test_periods_end_with_the_coverage(toy_settings: Settings) -> None:
    assert span.first_periods(pipeline_of(toy_settings, calendar="monthly"), 500)[-1].end == toy.days(0, 60).end


@pytest.mark.parametrize(
    ("landed", "days", "windows"),
    [
        (range(50), 20, [(day, day + 1) for day in range(30, 50)]),
        (range(50), 50, [(day, day + 1) for day in range(50)]),
        (range(50), 51, [(day, day + 1) for day in range(50)]),
        (range(5, 12), 3, [(9, 10), (10, 11), (11, 12)]),
    ],
)
def test_the_newest_landed_periods_are_taken(
    toy_settings: Settings, landed: range, days: int, windows: list[tuple[int, int]]
) -> None:
    toy.land(toy_settings, days=landed)
    pipeline = pipeline_of(toy_settings)
    found = span.newest_periods(pipeline, list_files(pipeline, toy_settings), days)
    assert found[-3:] == tuple(toy.days(*window) for window in windows[-3:])
    assert span.covers(found, days) == (len(windows) >= days)


def test_a_period_that_has_not_landed_whole_is_left_out(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(45))
    pipeline = pipeline_of(toy_settings, calendar="monthly")
    found = span.newest_periods(pipeline, list_files(pipeline, toy_settings), 20)
    assert found == (toy.days(0, 31),)


def test_the_feed_that_is_behind_says_how_far_all_have_landed(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(30))
    toy.land(toy_settings, days=range(30, 40), outcomes=False)
    pipeline = pipeline_of(toy_settings)
    assert span.newest_periods(pipeline, list_files(pipeline, toy_settings), 5)[-1] == toy.days(29, 30)
    shutil.rmtree(Path(toy_settings.landing_uri) / "toy" / "failures")
    assert span.newest_periods(pipeline, list_files(pipeline, toy_settings), 5) == ()


def test_a_local_day_that_begins_hours_after_its_period_opens_it_all_the_same(toy_settings: Settings) -> None:
    toy.land(toy_settings, days=range(31), outcomes=False)
    pipeline = pipeline_of(toy_settings, calendar="monthly")
    west = pipeline.feeds["jobs"].model_copy(update={"day_timezone": "America/New_York"})
    one = pipeline.model_copy(update={"feeds": {"jobs": west}})
    assert span.newest_periods(one, list_files(one, toy_settings), 10) == (toy.days(0, 31),)


def test_landed_files_of_the_span_are_copied_and_nothing_else(toy_settings: Settings, tmp_path: Path) -> None:
    toy.land(toy_settings, days=range(50))
    found = files.gather(pipeline_of(toy_settings), toy_settings, tmp_path / "review")
    copied = {path.relative_to(found.landing_uri).as_posix() for path in Path(found.landing_uri).rglob("*.csv")}
    names = {f"{toy.days(day, day + 1).start:%Y-%m-%d}.csv" for day in range(18, 50)}
    expected = {f"toy/{feed}/{name}" for feed in ("jobs", "heat", "failures") for name in names}
    assert copied == {*expected, "toy/machines/machines.csv"}
    assert (found.whole, found.cutoff) == (toy.days(18, 50), toy.days(0, 50).end)
    for path in copied:
        assert (Path(found.landing_uri) / path).read_bytes() == (Path(toy_settings.landing_uri) / path).read_bytes()
    assert found.source == "copied from the landing folder"


def test_equal_files_are_kept_once_and_a_corrected_one_makes_another_folder(
    toy_settings: Settings, tmp_path: Path
) -> None:
    toy.land(toy_settings, days=range(35))
    pipeline = pipeline_of(toy_settings)
    first = files.gather(pipeline, toy_settings, tmp_path)
    assert files.gather(pipeline, toy_settings, tmp_path) == first
    assert [path.name for path in tmp_path.glob("*landing*")] == [Path(first.landing_uri).name]
    jobs = Path(toy_settings.landing_uri) / "toy" / "jobs" / "2020-01-30.csv"
    jobs.write_text(jobs.read_text().replace("j029-000", "j029-999"))
    assert files.gather(pipeline, toy_settings, tmp_path).landing_uri != first.landing_uri


def test_where_nothing_has_landed_the_replay_lands_the_first_days(
    replayed: Pipeline, toy_settings: Settings, tmp_path: Path
) -> None:
    found = files.gather(replayed, toy_settings, tmp_path)
    assert found.whole == toy.days(0, 32)
    assert found.source == "replayed by somewhere:Replay"
    assert list_files(replayed, toy_settings) == ()
    assert list_files(replayed, toy_settings.model_copy(update={"landing_uri": found.landing_uri}))


def test_a_replay_goes_on_until_there_are_rows_enough(
    replayed: Pipeline, toy_settings: Settings, tmp_path: Path
) -> None:
    found = files.gather(with_training(replayed, min_train_rows=1200), toy_settings, tmp_path)
    assert found.whole == toy.days(0, 25 + 1 + 15 + 1)


def test_the_days_asked_for_are_taken(replayed: Pipeline, toy_settings: Settings, tmp_path: Path) -> None:
    assert files.gather(replayed, toy_settings, tmp_path, days=7).whole == toy.days(0, 7)
    toy.land(toy_settings, days=range(30))
    assert files.gather(replayed, toy_settings, tmp_path, days=7).whole == toy.days(23, 30)


def test_too_few_landed_days_are_refused_unless_a_replay_has_more(
    replayed: Pipeline, toy_settings: Settings, tmp_path: Path
) -> None:
    toy.land(toy_settings, days=range(10))
    assert files.gather(replayed, toy_settings, tmp_path).whole == toy.days(0, 32)
    says = r"toy: 10 days of whole daily periods below .*landing, and one training with its holdout needs 32: land more"
    with pytest.raises(DataContractError, match=says):
        files.gather(pipeline_of(toy_settings), toy_settings, tmp_path)


def test_a_replay_that_ends_too_early_is_refused_and_leaves_nothing(
    replayed: Pipeline, toy_settings: Settings, tmp_path: Path
) -> None:
    short = with_training(replayed, holdout_days=90)
    with pytest.raises(DataContractError, match=r"60 days of whole daily periods replayed by somewhere:Replay, .* 182"):
        files.gather(short, toy_settings, tmp_path / "review")
    assert list((tmp_path / "review").iterdir()) == []


def test_a_replay_that_fails_leaves_nothing(
    replayed: Pipeline, toy_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConfigError("no such feed")

    monkeypatch.setattr(Replay, "land", fail)
    with pytest.raises(ConfigError, match="no such feed"):
        files.gather(replayed, toy_settings, tmp_path / "review")
    assert list((tmp_path / "review").iterdir()) == []


def test_a_period_before_the_coverage_is_cut(toy_settings: Settings) -> None:
    pipeline = pipeline_of(toy_settings, calendar="monthly")
    late = pipeline.coverage.model_copy(update={"start": datetime(2020, 1, 11, tzinfo=UTC)})
    found = span.first_periods(pipeline.model_copy(update={"coverage": late}), 25)
    assert found[0] == Window(late.start, late.start + timedelta(days=21))
