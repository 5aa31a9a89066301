"""A corrected departure changes the features that depend on it and no others, once; what was made before stays."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.config import Pipeline, load_pipeline
from airloop.data import inbox
from airloop.deployment import Deployment
from airloop.features import feature_store
from airloop.records import Record, Snapshot, Window
from airloop.run import stage_run, stages
from airloop.settings import Settings, load_settings
from airloop.stores import lake, state
from nycflights.feeds import NycFlights

pytestmark = pytest.mark.integration

NAME = "flight_delays"
JANUARY, FEBRUARY, MARCH = (datetime(2013, month, 1, tzinfo=UTC) for month in (1, 2, 3))
MONTHS = (Window(JANUARY, FEBRUARY), Window(FEBRUARY, MARCH))
DATA = ("ingest", "validate_raw", "build_features", "validate_features")
LATER = timedelta(minutes=60)
KEYS = ("origin", "carrier", "dest", "route", "tailnum")
# View -> key, minutes of its grid, and per feature: days looked back and what is added to the number of departures.
SHARES = {
    "origin_quarters": ("origin", 15, {"n": 1 / 12, "delay": (1 / 12, 3), "late": (1 / 12, 3), "late_3d": (3, 30)}),
    "carrier_hours": ("carrier", 60, {"delay": (1 / 4, 3), "late": (1, 10), "late_28d": (28, 50)}),
    "dest_hours": ("dest", 60, {"delay": (1 / 4, 2), "late_28d": (28, 20)}),
    "route_days": ("route", 1440, {"late_28d": (28, 20), "delay_28d": (28, 20)}),
}

Row = tuple[str, str, datetime]
Sums = tuple[list[datetime], dict[str, np.ndarray]]


def _run(stage: str, settings: Settings, window: Window) -> Record:
    pipeline = load_pipeline(NAME, settings)
    upstream = stage_run.stored_upstream(stage, Deployment(pipeline, settings), window)
    return stage_run.run_stage(stage, Deployment(pipeline, settings), window, upstream=upstream)


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """January and February landed, their features built month by month, and a training set frozen."""
    settings = load_settings(home=tmp_path_factory.mktemp("flights"))
    NycFlights().land(f"{settings.landing_uri}/{NAME}", until=MARCH + timedelta(days=2))
    for month in MONTHS:
        for stage in DATA:
            _run(stage, settings, month)
    _run("snapshot", settings, Window(JANUARY, MARCH))
    return settings


@pytest.fixture(scope="module")
def departures() -> pd.DataFrame:
    """What is known of every departure of the two months, straight from the source."""
    source = NycFlights()
    told = source.frame("departures").to_pandas().merge(source.frame("schedule").to_pandas(), on="flight_id")
    told = told[(told["departed_at"] < MARCH) & (told["effective_at"] < MARCH)]
    return told.assign(route=told["origin"] + "-" + told["dest"], known_at=told["departed_at"] + timedelta(minutes=5))


@pytest.fixture(scope="module")
def corrected(flights: Settings, departures: pd.DataFrame) -> dict[str, Any]:
    """A departure of 20 January that was on time, and turns out to have left an hour later."""
    afternoon = departures["departed_at"].between("2013-01-20T18:00:00Z", "2013-01-20T19:00:00Z")
    punctual = departures[
        afternoon & departures["departure_delay_minutes"].between(0, 5) & departures["tailnum"].notna()
    ]
    return dict(punctual.sort_values("flight_id").iloc[0])


def _stored(settings: Settings, pipeline: Pipeline) -> dict[str, pd.DataFrame]:
    keys = feature_store.view_keys(pipeline, settings)
    return {
        view: lake.read(lake.table_uri(settings, NAME, "features", view), settings)
        .to_pandas()
        .set_index([*key, "known_at"])
        .sort_index()
        for view, key in keys.items()
    }


def _changed(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame]) -> set[Row]:
    found = set()
    for view, old in before.items():
        left, right = old.align(after[view])
        same = ((left == right) | (left.isna() & right.isna())).all(axis=1)
        found |= {(view, *index) for index in left.index[~same]}
        found |= {(view, *index) for index in old.index.symmetric_difference(after[view].index)}
    return {(view, key, known_at.to_pydatetime()) for view, key, known_at in found}


def _expected(departures: pd.DataFrame, flight: dict[str, Any]) -> set[Row]:
    """What has to change, by the meaning of each feature and without its SQL."""
    is_it = departures["flight_id"] == flight["flight_id"]
    moved = departures.assign(
        known_at=departures["known_at"].where(~is_it, departures["known_at"] + LATER),
        departure_delay_minutes=departures["departure_delay_minutes"].where(
            ~is_it, departures["departure_delay_minutes"] + LATER // timedelta(minutes=1)
        ),
    )
    found = set(_overdue(flight))
    for view, (key, step, features) in SHARES.items():
        old, new = (_sums(told[told[key] == flight[key]]) for told in (departures, moved))
        for instant in _grid(flight["known_at"], timedelta(minutes=step)):
            if _values(old, instant, features) != _values(new, instant, features):
                found.add((view, flight[key], instant))
    found |= {("tail_departures", flight["tailnum"], flight["known_at"] + moved) for moved in (timedelta(), LATER)}
    return found


def _overdue(flight: dict[str, Any]) -> Iterator[Row]:
    """Quarters at which the flight waits now, and did not before."""
    since, known = flight["scheduled_departure"], flight["known_at"]
    quarter = since.floor("15min") + timedelta(minutes=15)
    while quarter < min(known + LATER, since + timedelta(hours=6)):
        if quarter >= known:
            yield "origin_quarters", flight["origin"], quarter.to_pydatetime()
        quarter += timedelta(minutes=15)


def _grid(after: datetime, step: timedelta) -> Iterator[datetime]:
    """The grid of a view from an instant on, as far as a departure can be looked back upon; days begin at 05:00."""
    first = datetime(2013, 1, 1, 5 if step.days else 0, tzinfo=UTC)
    instant = first + ((after - first) // step) * step
    while instant < min(MARCH, after + timedelta(days=29)):
        yield instant.to_pydatetime() if isinstance(instant, pd.Timestamp) else instant
        instant += step


def _sums(told: pd.DataFrame) -> Sums:
    """The instants at which departures became known, and what the first of them, by number, come to."""
    ordered = told.sort_values("known_at")
    minutes = ordered["departure_delay_minutes"].fillna(0).to_numpy(dtype="int64")
    what = {"late": minutes >= 15, "delay": minutes.clip(-30, 300), "n": np.ones_like(minutes)}
    return list(ordered["known_at"]), {name: np.concatenate([[0], np.cumsum(of)]) for name, of in what.items()}


def _values(sums: Sums, instant: datetime, features: dict[str, Any]) -> list[Any]:
    known, totals = sums
    found: list[Any] = []
    for name, rule in features.items():
        days, prior = rule if isinstance(rule, tuple) else (rule, None)
        first, end = bisect_left(known, instant - timedelta(days=days)), bisect_left(known, instant)
        total = int(np.subtract(*totals[name.partition("_")[0]][[end, first]]))
        found.append(total if prior is None else Fraction(total, end - first + prior))
    return found


def _bytes(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*.parquet"))}


def _versions(settings: Settings) -> dict[str, int]:
    tables = sorted(path.parent for path in Path(settings.lake_uri).glob("*/*/*/_delta_log"))
    return {str(path): lake.open_table(str(path), settings).version() for path in tables}


def test_exactly_the_features_that_depend_on_a_corrected_departure_change_and_once(
    flights: Settings, departures: pd.DataFrame, corrected: dict[str, Any]
) -> None:
    pipeline = load_pipeline(NAME, flights)
    assert inbox.waiting_windows(pipeline, flights) == ()
    before, frozen = _stored(flights, pipeline), _bytes(Path(flights.lake_uri) / NAME / "snapshots")
    minutes = corrected["departure_delay_minutes"] + LATER // timedelta(minutes=1)
    at = corrected["departed_at"] + LATER
    file = Path(flights.landing_uri) / NAME / "departures" / "2013-01-20.1.csv"
    file.write_text(
        f"flight_id,departed_at,departure_delay_minutes\n{corrected['flight_id']},{at:%Y-%m-%dT%H:%M:%SZ},{minutes}\n"
    )
    waiting = inbox.waiting_windows(pipeline, flights)
    assert [item.window for item in waiting] == list(MONTHS)
    assert "2013-01-20.1.csv" in waiting[0].why
    assert waiting[1].why == f"its lookback reads {MONTHS[0]}"
    for item in waiting:
        for stage in DATA:
            _run(stage, flights, item.window)
        left = [other.run_id for other in inbox.waiting_windows(pipeline, flights)]
        assert set(left) <= {other.run_id for other in waiting}
    assert inbox.waiting_windows(pipeline, flights) == ()
    changed = _changed(before, _stored(flights, pipeline))
    assert changed == _expected(departures, corrected)
    assert {view for view, _, _ in changed} == {*SHARES, "tail_departures"}
    assert {known_at.month for _, _, known_at in changed} == {1, 2}
    assert _bytes(Path(flights.lake_uri) / NAME / "snapshots") == frozen != {}


def test_building_the_corrected_windows_again_writes_nothing(flights: Settings, corrected: dict[str, Any]) -> None:
    before = _versions(flights)
    pipeline = load_pipeline(NAME, flights)
    for month in MONTHS:
        for stage in DATA:
            _run(stage, flights, month)
            upstream = stage_run.stored_upstream(stage, Deployment(pipeline, flights), month)
            given = stages.find_stage(stage).handed(upstream)
            run_plainly(stages.find_stage(stage).function(), Deployment(pipeline, flights), month, **given)
    assert _versions(flights) == before


def test_a_new_snapshot_reads_the_correction_and_the_old_one_does_not(flights: Settings) -> None:
    window = Window(JANUARY, MARCH)
    (old,) = (Snapshot.from_json(row) for row in state.latest_records(flights, NAME, "snapshot", window=window))
    new = _run("snapshot", flights, window)
    assert (new.digest != old.digest, new.uri != old.uri) == (True, True)
    assert Path(old.uri).is_file()


def test_predictions_stay_as_they_were_made_when_their_features_are_corrected(toy_trained: Settings) -> None:
    window, everything = toy.days(41, 42), toy.days(0, 45)
    scored = toy.run("score", toy_trained, window)
    assert scored.appended == toy.ROWS_A_DAY
    predictions = _bytes(Path(toy_trained.lake_uri) / "toy" / "predictions")
    features = lake.read(lake.table_uri(toy_trained, "toy", "features", "machine_heat"), toy_trained)
    file = Path(toy_trained.landing_uri) / "toy" / "heat" / "2020-02-11.csv"
    header, *lines = file.read_text().splitlines()
    file.with_name("2020-02-11.1.csv").write_text(
        "\n".join([header, *(f"{line.rpartition(',')[0]},99.0" for line in lines)]) + "\n"
    )
    toy.run_data(toy_trained, everything)
    after = lake.read(lake.table_uri(toy_trained, "toy", "features", "machine_heat"), toy_trained)
    assert after.num_rows == features.num_rows
    assert after["celsius"].to_pylist().count(99.0) == len(lines)
    again = toy.run("score", toy_trained, window)
    assert (again.rows, again.appended) == (toy.ROWS_A_DAY, 0)
    assert _bytes(Path(toy_trained.lake_uri) / "toy" / "predictions") == predictions
