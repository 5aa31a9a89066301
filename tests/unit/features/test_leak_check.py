"""The leak check refuses every value that could not have been known, and names its column."""

from datetime import timedelta

import pytest
from tests.support import toy

from airloop.errors import DataContractError
from airloop.features import examples, leak_check
from airloop.settings import Settings

HEAT = "SELECT machine, celsius, known_at, created_at FROM heat;"
STATIC = "SELECT job, size AS job_size, machine AS machine_code, known_at, created_at FROM jobs;"
# Each uses values before they are known; the column that shows it first.
LEAKS = {
    "too_early": (
        HEAT,
        "SELECT machine, celsius, known_at - INTERVAL 2 HOUR AS known_at, created_at - INTERVAL 2 HOUR AS created_at "
        "FROM heat;",
    ),
    "next_value": (
        HEAT,
        "SELECT machine, lead(celsius) OVER (PARTITION BY machine ORDER BY known_at) AS celsius, known_at, created_at "
        "FROM heat;",
    ),
    "average_of_the_day": (
        HEAT,
        "SELECT machine, avg(celsius) OVER (PARTITION BY machine, known_at::DATE) AS celsius, known_at, created_at "
        "FROM heat;",
    ),
    "own_outcome": (
        STATIC,
        "SELECT job, coalesce(failed::INT, 0) AS job_size, machine AS machine_code, j.known_at, j.created_at "
        "FROM jobs j LEFT JOIN failures USING (job);",
    ),
    "text_of_the_outcome": (
        STATIC,
        "SELECT job, size AS job_size, machine || failed AS machine_code, j.known_at, j.created_at "
        "FROM jobs j LEFT JOIN failures USING (job);",
    ),
}
COLUMN = {"own_outcome": "job_size", "text_of_the_outcome": "machine_code"}


def built_elsewhere(toy_built: Settings, root, old, new) -> Settings:
    """Features of days 0 to 6 built by another SQL, in a home of its own."""
    settings = toy.write_project(root / "project", Settings().project_dir)
    path = settings.pipelines_dir / "toy" / "features.sql"
    path.write_text(path.read_text().replace(old, new))
    toy.land(settings, days=range(6))
    toy.run_data(settings, toy.days(0, 6))
    return settings


def check(settings, *, times=2, frame=None):
    pipeline = toy.toy_pipeline(settings)
    training = pipeline.training.model_copy(update={"leak_check_times": times})
    pipeline = pipeline.model_copy(update={"training": training})
    rows = examples.feature_frame(pipeline, toy.days(0, 6), settings) if frame is None else frame
    return leak_check.check_leaks(pipeline, rows, settings)


def test_honest_features_pass_at_every_sampled_time(toy_built):
    times = check(toy_built, times=20)
    assert len(set(times)) == 20
    assert all(time > toy.START + timedelta(hours=12) for time in times)


def test_the_same_frame_is_checked_at_the_same_times(toy_built):
    assert check(toy_built) == check(toy_built)


@pytest.mark.parametrize("leak", LEAKS)
def test_a_value_from_the_future_is_refused_and_its_column_named(toy_built, tmp_path, leak):
    settings = built_elsewhere(toy_built, tmp_path, *LEAKS[leak])
    name = COLUMN.get(leak, "celsius")
    with pytest.raises(DataContractError, match=rf"leak: feature '{name}' of j\d{{3}}-\d{{3}} at 2020-01-0\dT"):
        check(settings, times=10)


def test_a_used_value_that_cannot_be_rebuilt_is_refused(toy_built):
    frame = examples.feature_frame(toy.toy_pipeline(toy_built), toy.days(0, 6), toy_built)
    frame["job_size"] += 1e-6
    with pytest.raises(DataContractError, match="leak: feature 'job_size'"):
        check(toy_built, frame=frame)


def test_a_value_nobody_knew_may_be_missing_and_nothing_else(toy_built):
    frame = examples.feature_frame(toy.toy_pipeline(toy_built), toy.days(0, 6), toy_built)
    with pytest.raises(
        DataContractError, match=r"feature 'celsius' of .* was nan, but from what was known by then it is \d"
    ):
        check(toy_built, frame=frame.assign(celsius=float("nan")))
    rows = leak_check.rebuild(toy.toy_pipeline(toy_built), toy.START + timedelta(hours=5), toy_built)
    assert max(rows["machine_heat"]["known_at"].to_pylist()) == toy.START + timedelta(hours=4, minutes=1)


def test_a_value_known_at_the_very_decision_time_is_honest(toy_built):
    known = toy.START + timedelta(hours=4, minutes=1)
    heat = leak_check.rebuild(toy.toy_pipeline(toy_built), known, toy_built)["machine_heat"]
    assert known in heat["known_at"].to_pylist()
