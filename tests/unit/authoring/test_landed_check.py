"""`pipelines check` says beforehand that monitoring or the gate will never have days or rows enough, by what landed."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from tests.support import pages_stand, toy
from tests.support.command import Airloop

from airloop.config import Pipeline, load_pipeline
from airloop.records import BuiltFeatures
from airloop.settings import Settings

EVERY_FIFTH = range(0, 60, 5)


def declare(settings: Settings, *, over_days: int = 28, holdout_days: int = 15, min_rows: int = 20) -> Pipeline:
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared = yaml.safe_load(path.read_text())
    declared["monitoring"]["over_days"] = over_days
    declared["monitoring"]["policy"]["min_rows"] = min_rows
    declared["training"]["holdout_days"] = holdout_days
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    return load_pipeline("toy", settings)


def land_outcomes(settings: Settings, days: Iterable[int]) -> None:
    folder = Path(settings.landing_uri) / "toy" / "failures"
    folder.mkdir(parents=True)
    for day in days:
        (folder / f"{toy.days(day, day + 1).start:%Y-%m-%d}.csv").write_text("job,ended_at,failed\n")


def build(settings: Settings, days: Iterable[int], *, examples: int) -> None:
    for day in days:
        window = toy.days(day, day + 1)
        pages_stand.save(settings, "build_features", window, BuiltFeatures(window, (), "", examples))


def test_rows_on_too_few_days_are_said_with_the_length_that_has_enough(
    toy_settings: Settings, airloop: Airloop
) -> None:
    declare(toy_settings)
    land_outcomes(toy_settings, range(0, 120, 5))
    shown = airloop("pipelines", "check", "toy")
    assert shown.code == 0
    assert (
        "look: monitoring.over_days 28: outcomes have landed for 6 days of any 28 at most, and "
        "monitoring.policy.min_blocks asks for 14: there would never be enough data; write 67 or more"
    ) in shown.out
    assert "look: training.holdout_days 15: outcomes have landed for 3 days of any 15 at most" in shown.out


def test_the_length_that_it_names_is_enough(toy_settings: Settings, airloop: Airloop) -> None:
    declare(toy_settings, over_days=67, holdout_days=67)
    land_outcomes(toy_settings, range(0, 120, 5))
    assert "min_blocks" not in airloop("pipelines", "check", "toy").out


def test_more_days_than_there_are_cannot_be_named(toy_settings: Settings, airloop: Airloop) -> None:
    declare(toy_settings)
    land_outcomes(toy_settings, EVERY_FIFTH)
    shown = airloop("pipelines", "check", "toy").out
    assert "there would never be enough data; bring rows of more days" in shown


@pytest.mark.parametrize("days", [range(60), range(4), ()])
def test_days_without_a_gap_and_a_past_too_short_to_tell_say_nothing(
    toy_settings: Settings, airloop: Airloop, days: Iterable[int]
) -> None:
    declare(toy_settings)
    land_outcomes(toy_settings, days)
    assert "look:" not in airloop("pipelines", "check", "toy").out


@pytest.mark.parametrize(("min_rows", "says"), [(29, True), (28, False)])
def test_a_policy_that_asks_for_more_rows_than_a_look_has_is_said(
    toy_settings: Settings, airloop: Airloop, min_rows: int, says: bool
) -> None:
    declare(toy_settings, min_rows=min_rows)
    land_outcomes(toy_settings, range(60))
    build(toy_settings, range(40), examples=1)
    shown = airloop("pipelines", "check", "toy").out
    assert (f"look: monitoring.policy.min_rows {min_rows}: the windows built so far have 28 rows" in shown) is says


def test_few_windows_say_nothing_about_rows(toy_settings: Settings, airloop: Airloop) -> None:
    declare(toy_settings, min_rows=1000)
    land_outcomes(toy_settings, range(60))
    build(toy_settings, range(27), examples=1)
    assert "min_rows" not in airloop("pipelines", "check", "toy").out


def test_a_file_about_a_day_that_has_not_begun_is_named(toy_settings: Settings, airloop: Airloop) -> None:
    declare(toy_settings)
    land_outcomes(toy_settings, [*range(60), 365 * 60])
    shown = airloop("pipelines", "check", "toy").out
    assert "landing: look: failures/2079-12-17.csv: a day that has not begun" in shown
    assert "min_blocks" not in shown


@pytest.mark.parametrize(("days", "says"), [(range(59, 63), True), (range(56, 60), False)])
def test_files_after_the_coverage_are_named(
    toy_settings: Settings, airloop: Airloop, days: Iterable[int], says: bool
) -> None:
    declare(toy_settings)
    land_outcomes(toy_settings, days)
    named = "landing: look: failures/2020-03-01.csv and 2 more: of days after coverage.end of pipeline.yaml"
    assert (named in airloop("pipelines", "check", "toy").out) is says


def test_a_landing_folder_that_does_not_answer_stops_no_check(toy_settings: Settings, airloop: Airloop) -> None:
    declare(toy_settings)
    folder = Path(toy_settings.landing_uri) / "toy"
    folder.mkdir(parents=True)
    (folder / "failures").write_text("a file where a folder should be")
    assert airloop("pipelines", "check", "toy").code == 0
