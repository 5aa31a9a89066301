"""build_features: when a window is built does not matter, and what breaks the contract of a view is not written."""

from pathlib import Path

import pyarrow as pa
import pytest
from tests.support import toy
from tests.support.run_plainly import judged, run_plainly

from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError
from airloop.features import build_features, feature_views, sections
from airloop.settings import Settings
from airloop.stores import lake, state

BUSY = """
-- view: machine_heat
WITH hours AS (SELECT unnest(generate_series(getvariable('window_start') - to_days(getvariable('lookback_days')),
                                             getvariable('window_end'), INTERVAL 1 HOUR)) AS g),
ended AS (SELECT machine, time_bucket(INTERVAL 1 HOUR, f.known_at) + INTERVAL 1 HOUR AS g, count(*) AS n
          FROM failures f JOIN jobs USING (job) GROUP BY ALL)
SELECT m.machine, sum(coalesce(n, 0)) OVER (PARTITION BY m.machine ORDER BY h.g ROWS 2 PRECEDING) AS celsius,
       h.g AS known_at, h.g AS created_at
FROM machines m CROSS JOIN hours h LEFT JOIN ended e ON e.machine = m.machine AND e.g = h.g;
"""
HEAT = "-- view: machine_heat\nSELECT machine, celsius, known_at, created_at FROM heat;\n"


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six days of clean rows, no features."""
    settings = toy.write_project(tmp_path_factory.mktemp("toy") / "project", Path(__file__).parents[3])
    toy.land(settings, days=range(6))
    for day in range(6):
        toy.run("ingest", settings, toy.days(day, day + 1))
        toy.run("validate_raw", settings, toy.days(day, day + 1))
    return settings


def without_features(settings, root):
    """The same clean rows in a lake of its own."""
    (root / "lake" / "toy").mkdir(parents=True)
    (root / "lake" / "toy" / "clean").symlink_to(Path(settings.lake_uri) / "toy" / "clean")
    return settings.model_copy(update={"lake_uri": str(root / "lake")})


def views(settings, first, end):
    pipeline, window = toy.toy_pipeline(settings), toy.days(first, end)
    feeds = sections.load_feeds(pipeline, window, settings, read_by=sections.feature_sections(pipeline, settings))
    return feature_views.compute_views(pipeline, window, feeds, settings)


def stored(settings, view):
    return lake.read(lake.table_uri(settings, "toy", "features", view), settings)


def by_time(rows):
    return rows.sort_by([(name, "ascending") for name in ("known_at", rows.schema.names[0])]).combine_chunks()


def test_days_built_one_by_one_equal_all_days_in_one_go(checked, tmp_path):
    settings = without_features(toy.edited(checked, tmp_path, "features.sql", HEAT, BUSY), tmp_path)
    for day in range(3, 6):
        run_plainly(
            build_features.build_features,
            Deployment(toy.toy_pipeline(settings), settings),
            toy.days(day, day + 1),
            raw=judged(toy.days(day, day + 1)),
        )
    for name, rows in views(settings, 3, 6).items():
        assert by_time(stored(settings, name).select(rows.schema.names)).equals(by_time(rows)), name


def test_an_aggregate_on_the_full_grid_decays_in_quiet_hours(checked, tmp_path):
    rows = views(toy.edited(checked, tmp_path, "features.sql", HEAT, BUSY), 3, 6)["machine_heat"].to_pandas()
    assert len(rows) == 5 * 3 * 24
    busy = rows.groupby(rows["known_at"].dt.hour)["celsius"].sum()
    # Jobs end between 02:05 and 21:45, and the last three hours are counted.
    assert (busy.loc[3:23] > 0).all()
    assert (busy.loc[[1, 2]] == 0).all()


def test_building_again_writes_no_new_version(checked):
    first = toy.run("build_features", checked, toy.days(0, 1))
    again = run_plainly(
        build_features.build_features,
        Deployment(toy.toy_pipeline(checked), checked),
        toy.days(0, 1),
        raw=judged(toy.days(0, 1)),
    )
    assert again == first
    assert [(view.version, view.rows) for view in again.views] == [(0, 60), (0, 120)]


def test_every_number_is_a_float_whatever_the_window_holds(checked):
    kinds = {field.type for rows in views(checked, 0, 1).values() for field in rows.schema}
    assert kinds == {pa.string(), pa.float64(), lake.INSTANT}


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        (
            "-- view: machine_heat",
            "-- view: machine_heet",
            ConfigError,
            "view 'machine_heet' is not in feature_repo/toy",
        ),
        (
            "celsius, known_at, created_at FROM heat",
            "celsius, created_at FROM heat",
            ConfigError,
            "no column 'known_at'",
        ),
        (
            "celsius, known_at, created_at FROM heat",
            "celsius, known_at FROM heat",
            ConfigError,
            "no column 'created_at'",
        ),
        ("SELECT machine, celsius", "SELECT 'm' AS maschine, celsius", ConfigError, "heat: has no column 'machine'"),
        (
            "created_at FROM heat",
            "created_at FROM heet",
            ConfigError,
            "features.sql:6, section machine_heat: Catalog Error",
        ),
        (
            "SELECT machine, celsius",
            "SELECT 'm' AS machine, celsius",
            DataContractError,
            "96 rows share key and known_at",
        ),
    ],
)
def test_a_view_that_breaks_its_contract_is_refused_and_nothing_is_written(checked, tmp_path, old, new, error, says):
    settings = without_features(toy.edited(checked, tmp_path, "features.sql", old, new), tmp_path)
    with pytest.raises(error, match=says):
        run_plainly(
            build_features.build_features,
            Deployment(toy.toy_pipeline(settings), settings),
            toy.days(0, 1),
            raw=judged(toy.days(0, 1)),
        )
    assert not (tmp_path / "lake" / "toy" / "features").exists()


def test_a_correction_within_the_lookback_is_a_new_input_and_a_later_window_is_not(checked, tmp_path):
    pipeline = toy.toy_pipeline(checked)
    joined = HEAT.replace("FROM heat;", "FROM heat SEMI JOIN machines USING (machine);")
    with_machines = toy.edited(checked, tmp_path, "features.sql", HEAT, joined)

    def inputs(day, settings=with_machines):
        return build_features.inputs(Deployment(pipeline, settings), toy.days(day, day + 1)).digests

    before = inputs(5)
    path = Path(checked.landing_uri) / "toy" / "heat" / "2020-01-04.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",99.0"]) + "\n")
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, checked, toy.days(3, 4))
    after = inputs(5)
    assert {name for name in before if before[name] != after[name]} == {"heat"}
    # A static table has no time: it counts for every window, where a view reads it.
    unread = inputs(5, checked)
    path = Path(checked.landing_uri) / "toy" / "machines" / "machines.csv"
    path.write_text(path.read_text().replace("m1,2001", "m1,1999"))
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, checked, toy.days(3, 4))
    last = inputs(5)
    assert {name for name in after if after[name] != last[name]} == {"machines"}
    assert inputs(5, checked) == unread
    assert "machines" not in unread


def test_the_record_says_how_many_rows_are_predicted_in_the_window_and_not_how_many_were_built(checked, tmp_path):
    settings = without_features(checked, tmp_path)
    built = run_plainly(
        build_features.build_features,
        Deployment(toy.toy_pipeline(settings), settings),
        toy.days(2, 4),
        raw=judged(toy.days(2, 4)),
    )
    assert built.examples == 2 * toy.ROWS_A_DAY
    assert sum(view.rows for view in built.views) > built.examples


def test_outcomes_that_land_later_build_no_feature_again_and_corrected_inputs_do(tmp_path):
    settings = toy.write_project(tmp_path / "project", Path(__file__).parents[3])
    day = toy.days(1, 2)

    def built():
        for stage in ("ingest", "validate_raw", "build_features"):
            done = toy.run(stage, settings, day)
        return done, len(state.latest_records(settings, "toy", "build_features", window=day))

    toy.land(settings, days=range(2), outcomes=False)
    first, once = built()
    toy.land(settings, days=range(2))
    assert built() == (first, once) == (first, 1)
    assert stored_clean(settings, "failures") == toy.ROWS_A_DAY
    path = Path(settings.landing_uri) / "toy" / "heat" / "2020-01-02.csv"
    path.write_text(path.read_text().replace("T03:00:00Z,", "T03:00:00Z,1"))
    again, twice = built()
    assert (twice, again == first) == (2, False)


def stored_clean(settings, feed):
    uri = lake.table_uri(settings, "toy", "clean", feed)
    return lake.read(uri, settings, where=lake.between("ended_at", toy.days(1, 2))).num_rows
