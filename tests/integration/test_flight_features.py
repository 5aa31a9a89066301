"""The features of flight_delays on two months of real flights: equal whenever they are built, and honest."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import roc_auc_score
from tests.support.run_plainly import judged, run_plainly

from airloop.config import Pipeline, load_pipeline
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import build_features, examples, feature_store, feature_views, leak_check, sections
from airloop.features.materialize import materialize
from airloop.models import estimators, training_rows
from airloop.records import Record, Window
from airloop.run import stage_run
from airloop.settings import Settings, load_settings
from airloop.stores import lake
from nycflights.feeds import NycFlights

pytestmark = pytest.mark.integration

NAME = "flight_delays"
JANUARY, FEBRUARY, MARCH = (datetime(2013, month, 1, tzinfo=UTC) for month in (1, 2, 3))
MONTHS = (Window(JANUARY, FEBRUARY), Window(FEBRUARY, MARCH))
BOTH = Window(JANUARY, MARCH)
INSTANT = timedelta(microseconds=1)

UNFINISHED = (
    "departed AS (\n  SELECT origin, time_bucket(INTERVAL 15 MINUTE, known_at)",
    "departed AS (\n  SELECT origin, time_bucket(INTERVAL 15 MINUTE, scheduled_departure)",
)
OWN_DELAY = (
    "       s.known_at, s.created_at\nFROM legs s ",
    "       own.departure_delay_minutes AS own_delay, s.known_at, s.created_at\n"
    "FROM legs s LEFT JOIN departures own USING (flight_id) ",
)


def run(stage: str, settings: Settings, window: Window) -> Record:
    pipeline = load_pipeline(NAME, settings)
    upstream = stage_run.stored_upstream(stage, Deployment(pipeline, settings), window)
    return stage_run.run_stage(stage, Deployment(pipeline, settings), window, upstream=upstream)


def build(settings: Settings) -> None:
    for month in MONTHS:
        run("build_features", settings, month)
        run("validate_features", settings, month)


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """January and February 2013 landed, and their data stages run month by month."""
    settings = load_settings(home=tmp_path_factory.mktemp("flights"))
    NycFlights().land(f"{settings.landing_uri}/{NAME}", until=MARCH + timedelta(days=2))
    for month in MONTHS:
        run("ingest", settings, month)
        run("validate_raw", settings, month)
    build(settings)
    return settings


@pytest.fixture(scope="module")
def pipeline(flights: Settings) -> Pipeline:
    return load_pipeline(NAME, flights)


@pytest.fixture(scope="module")
def honest(flights: Settings, pipeline: Pipeline) -> pd.DataFrame:
    return training_frame(flights, pipeline)


def training_frame(settings: Settings, pipeline: Pipeline) -> pd.DataFrame:
    train, holdout = training_rows.parts(pipeline, MARCH)
    return examples.feature_frame(pipeline, Window(train.start, holdout.end), settings, as_of=MARCH)


def planted(flights: Settings, root: Path, *, sql: tuple[str, str], feature: str = "") -> Settings:
    """A checkout whose features.sql leaks, over a copy of the clean rows, with its features built and validated."""
    repository = flights.project_dir
    for folder in ("include/pipelines", "feature_repo"):
        shutil.copytree(repository / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    settings = load_settings(project_dir=root, home=root / "home")
    shutil.copytree(f"{flights.lake_uri}/{NAME}/clean", f"{settings.lake_uri}/{NAME}/clean")
    shutil.copy(flights.home / "state.db", settings.home / "state.db")
    path = root / "include" / "pipelines" / NAME / "features.sql"
    text = path.read_text()
    assert text.count(sql[0]) == 1
    path.write_text(text.replace(*sql))
    if feature:
        path = root / "feature_repo" / f"{NAME}.py"
        path.write_text(path.read_text().replace('"turnaround_minutes",', f'"turnaround_minutes", "{feature}",'))
    build(settings)
    return settings


def compute(settings: Settings, pipeline: Pipeline, window: Window, **feeds: pa.Table) -> dict[str, pa.Table]:
    read = sections.feature_sections(pipeline, settings)
    found = sections.load_feeds(pipeline, window, settings, read_by=read)
    return feature_views.compute_views(pipeline, window, {**found, **feeds}, settings)


def stored(settings: Settings, view: str, window: Window) -> pa.Table:
    uri = lake.table_uri(settings, NAME, "features", view)
    return lake.read(uri, settings, where=lake.between("known_at", window))


def in_order(rows: pa.Table, key: tuple[str, ...]) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in (*key, "known_at")]).combine_chunks()


def holdout_auc(frame: pd.DataFrame, pipeline: Pipeline) -> float:
    train, holdout = training_rows.parts(pipeline, MARCH)
    known = frame.dropna(subset=["label"])
    fit, check = (known[known["decision_time"].between(part.start, part.end)] for part in (train, holdout))
    model = estimators.new_model(pipeline, "gradient_boosting", {"max_iter": 80}, fit)
    model.fit(fit, fit["label"])
    return float(roc_auc_score(check["label"], model.predict_proba(check)[:, 1]))


@pytest.mark.parametrize(
    "window",
    [
        BOTH,
        Window(datetime(2013, 2, 9, tzinfo=UTC), datetime(2013, 2, 10, tzinfo=UTC)),
        Window(datetime(2013, 2, 17, 5, tzinfo=UTC), datetime(2013, 2, 17, 6, tzinfo=UTC)),
    ],
    ids=["two_months", "a_day_of_snow", "an_hour"],
)
def test_features_do_not_depend_on_the_window_they_are_built_in(flights, pipeline, window):
    views = compute(flights, pipeline, window)
    assert set(views) == set(feature_store.view_keys(pipeline, flights))
    for view, key in feature_store.view_keys(pipeline, flights).items():
        once = in_order(views[view], key)
        assert in_order(stored(flights, view, window).select(once.schema.names), key).equals(once), view


def test_building_a_month_again_writes_no_new_version(flights, pipeline):
    before = [version.version for version in run("build_features", flights, MONTHS[1]).views]
    again = run_plainly(build_features.build_features, Deployment(pipeline, flights), MONTHS[1], raw=judged(MONTHS[1]))
    assert [view.version for view in again.views] == before


def test_a_quiet_hour_decays_to_zero_instead_of_keeping_the_busy_value(flights):
    night = Window(datetime(2013, 2, 13, 9, tzinfo=UTC), datetime(2013, 2, 13, 10, tzinfo=UTC))
    evening = Window(night.start - timedelta(hours=12), night.end - timedelta(hours=12))
    busy, quiet = (stored(flights, "origin_quarters", hour).to_pandas() for hour in (evening, night))
    assert len(busy) == len(quiet) == 3 * 4
    assert (busy[["origin_departed_2h", "origin_delay_2h", "origin_late_2h"]] != 0).all(axis=None)
    assert (quiet[["origin_departed_2h", "origin_delay_2h", "origin_late_2h"]] == 0).all(axis=None)
    assert (quiet["origin_late_3d"] > 0).all()


def test_a_late_landing_departure_changes_only_rows_known_after_it(flights, pipeline):
    window = Window(datetime(2013, 2, 12, tzinfo=UTC), datetime(2013, 2, 14, tzinfo=UTC))
    departures = lake.read(lake.table_uri(flights, NAME, "clean", "departures"), flights)
    latest = departures.filter(lake.between("known_at", Window(window.start, window.end - timedelta(hours=24))))
    latest = latest.sort_by([("departure_delay_minutes", "descending"), ("flight_id", "ascending")]).slice(0, 1)
    late, known_at = latest["flight_id"][0].as_py(), latest["known_at"][0].as_py()
    before = departures.filter(pc.field("known_at") < pa.scalar(window.end, lake.INSTANT))
    missing = before.filter(pc.field("flight_id") != late)
    views = [compute(flights, pipeline, window, departures=rows) for rows in (missing, before)]
    changed = set()
    for view, key in feature_store.view_keys(pipeline, flights).items():
        columns = [*key, "known_at"]
        without, with_it = (in_order(found[view], key).to_pandas().set_index(columns) for found in views)
        both = without.align(with_it)
        rows = ~((both[0] == both[1]) | (both[0].isna() & both[1].isna())).all(axis=1)
        assert (rows[rows].index.get_level_values("known_at") >= known_at).all(), view
        changed |= {view} if rows.any() else set()
    assert changed == {"origin_quarters", "carrier_hours", "dest_hours", "route_days", "tail_departures"}


def test_every_column_of_every_view_is_a_feature_of_the_service_and_reads_as_one(flights, pipeline, honest):
    for view, key in feature_store.view_keys(pipeline, flights).items():
        made = {*stored(flights, view, MONTHS[0]).schema.names} - {*key, "known_at", "created_at"}
        assert made == {*feature_store.view_features(pipeline, flights)[view]}
    names = feature_store.feature_names(pipeline, flights)
    assert list(honest.columns) == ["flight_id", "decision_time", *names, "label"]
    assert not honest[list(names)].isna().all().any()


def test_the_online_read_at_decision_time_equals_the_training_row(flights, pipeline, honest):
    ttls = {view.name: view.ttl for view in feature_store.views(pipeline, flights)}
    busiest = honest[honest["decision_time"] >= pd.Timestamp("2013-02-01", tz="UTC")]["decision_time"].value_counts()
    times = sorted(time.to_pydatetime() for time in busiest.index[:3])
    done = times[0] - timedelta(days=3)
    outdated = 0
    for time in times:
        materialize(
            Deployment(pipeline, flights),
            Window(done, time + INSTANT),
            features=judged(Window(done, time + INSTANT), "features"),
        )
        done = time + INSTANT
        rows = examples.examples(pipeline, Window(time, done), flights).drop(["decision_time"])
        store = feature_store.open_store(pipeline, flights)
        service = store.get_feature_service(pipeline.features.service)
        online = store.get_online_features(service, entity_rows=rows.to_pylist()).to_dict(include_event_timestamps=True)
        trained = honest[honest["decision_time"] == time]
        assert rows["flight_id"].to_pylist() == online["flight_id"] == trained["flight_id"].tolist()
        for view, features in feature_store.view_features(pipeline, flights).items():
            # Feast's online read applies no ttl: whoever reads compares the value's instant with the decision time.
            valid = [seconds >= (time - ttls[view]).timestamp() for seconds in online[f"{features[0]}__ts"]]
            outdated += valid.count(False)
            for name in features:
                seen = [value if fresh else None for value, fresh in zip(online[name], valid, strict=True)]
                used = trained[name].astype(object).where(trained[name].notna(), None).tolist()
                assert seen == used, (time, name)
    assert outdated


def test_honest_features_pass_the_leak_check(flights, pipeline, honest):
    more = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"leak_check_times": 6})})
    times = leak_check.check_leaks(more, honest, flights)
    assert len(set(times)) == 6
    assert leak_check.check_leaks(pipeline, honest, flights) == leak_check.check_leaks(pipeline, honest, flights)


def test_a_rolling_rate_that_counts_unfinished_flights_is_refused(flights, tmp_path):
    settings = planted(flights, tmp_path, sql=UNFINISHED)
    with pytest.raises(
        DataContractError, match=r"leak: feature 'origin_(departed|delay|late)_2h' of 2013\d{4}T\d{4}Z-"
    ):
        run("snapshot", settings, BOTH)
    assert not Path(settings.lake_uri, NAME, "snapshots").exists()


def test_the_flights_own_departure_delay_is_refused_and_would_have_looked_like_a_better_model(
    flights, pipeline, honest, tmp_path
):
    settings = planted(flights, tmp_path, sql=OWN_DELAY, feature="own_delay")
    with pytest.raises(DataContractError, match=r"leak: feature 'own_delay' of 2013\d{4}T\d{4}Z-"):
        run("snapshot", settings, BOTH)
    leaking = training_frame(settings, pipeline)
    assert holdout_auc(honest, pipeline) < 0.78
    assert holdout_auc(leaking, pipeline) > 0.80
