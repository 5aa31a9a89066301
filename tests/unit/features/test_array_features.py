"""An array of the lake comes point in time through retrieval, goes online whole, and cannot hide a leak."""

import math
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from feast.protos.feast.types.Value_pb2 import DoubleList, Value
from tests.support import toy, toy_arrays
from tests.support.run_plainly import judged

from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError
from airloop.features import examples, feature_store, leak_check
from airloop.features.materialize import materialize
from airloop.settings import Settings
from airloop.stores import lake

MACHINES = [{"machine": f"m{number}"} for number in range(5)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Six days of features, built and validated day by day."""
    settings = toy_arrays.write_project(tmp_path_factory.mktemp("toy") / "project", Settings().project_dir)
    toy.land(settings, days=range(6))
    for day in range(6):
        toy.run_data(settings, toy.days(day, day + 1))
    return settings


@pytest.fixture
def offline(built: Settings, tmp_path: Path) -> Settings:
    return toy.nothing_online(built, tmp_path)


def stored(settings):
    uri = lake.table_uri(settings, "toy", "features", "machine_heat")
    return lake.read(uri, settings).sort_by([("machine", "ascending"), ("known_at", "ascending")])


def retrieved(settings, machine, *times):
    stamps = pa.array(times, lake.INSTANT)
    asked = pa.table({"job": ["j"] * len(times), "machine": [machine] * len(times), "decision_time": stamps})
    return examples.retrieve(toy.toy_pipeline(settings), asked, settings)


def frame(settings):
    return examples.feature_frame(toy.toy_pipeline(settings), toy.days(0, 6), settings)


def test_every_example_has_the_newest_readings_known_by_then_a_column_each(built):
    rows = frame(built)
    assert [*rows.columns] == [
        "job",
        "decision_time",
        "machine_code",
        "job_size",
        "celsius",
        *toy_arrays.COLUMNS,
        "label",
    ]
    assert (rows[[*toy_arrays.COLUMNS]].dtypes == "float64").all()
    held = dict(iter(stored(built).to_pandas().groupby("machine")))
    for row in rows.itertuples():
        known = held[row.machine_code]
        past = known[known["known_at"] <= row.decision_time]["celsius"].to_numpy()[:-4:-1]
        size = {"m3": 2, "m4": 0}.get(row.machine_code, 3)
        expected = [*past[:size], *[math.nan] * (3 - len(past[:size]))]
        np.testing.assert_array_equal([getattr(row, name) for name in toy_arrays.COLUMNS], expected)


def test_an_array_counts_from_the_moment_it_is_known_and_until_its_ttl(built):
    rows = stored(built).filter(pa.compute.field("machine") == "m0")
    first, last = (rows["known_at"][at].as_py() for at in (0, -1))
    until, moment = last + timedelta(hours=3), timedelta.resolution
    found = retrieved(built, "m0", first - moment, first, until, until + moment)[[*toy_arrays.COLUMNS]].to_numpy()
    newest = rows["readings"][-1].as_py()
    nothing = [math.nan] * 3
    np.testing.assert_array_equal(found, [nothing, [rows["celsius"][0].as_py(), *nothing[1:]], newest, nothing])


def test_a_declared_length_that_the_lake_does_not_have_is_refused(built, tmp_path):
    settings = toy.edited(built, tmp_path, "toy.py", '"length": "3"', '"length": "4"')
    says = r"feature machine_heat\.readings of job j: has 3 elements, declared are 4"
    with pytest.raises(DataContractError, match=says):
        retrieved(settings, "m0", toy.START + timedelta(hours=5))


def test_a_column_that_was_no_array_when_it_was_built_is_refused(built, tmp_path):
    old, new = (
        'Field(name="celsius", dtype=Float64)',
        'Field(name="celsius", dtype=Array(Float64), tags={"length": "1"})',
    )
    settings = toy.edited(built, tmp_path, "toy.py", old, new)
    with pytest.raises(ConfigError, match=r"machine_heat\.celsius: declared as an array, but its column is double"):
        retrieved(settings, "m0", toy.START + timedelta(hours=5))


@pytest.mark.parametrize(("column", "passes"), [("celsius", True), ("readings", False)])
def test_expectations_see_an_array_that_is_null(built, tmp_path, column, passes):
    rule = f"{{type: expect_column_values_to_not_be_null, kwargs: {{column: {column}}}, severity: critical}}"
    settings = toy.edited(built, tmp_path, "expectations.yaml", "  machine_heat:\n", f"  machine_heat:\n    - {rule}\n")
    if passes:
        assert toy.run("validate_features", settings, toy.days(0, 1)).layer == "features"
    else:
        with pytest.raises(DataContractError, match=r"24 of 120 rows \(20.00%\) break .*not_be_null\(readings\)"):
            toy.run("validate_features", settings, toy.days(0, 1))


def test_the_newest_array_of_every_key_is_online_and_read_back(offline):
    pipeline = toy.toy_pipeline(offline)
    found = materialize(Deployment(pipeline, offline), toy.days(0, 6), features=judged(toy.days(0, 6), "features"))
    assert found.rows["machine_heat"] == 5
    store = feature_store.open_store(pipeline, offline)
    online = store.get_online_features(["machine_heat:readings"], entity_rows=[*MACHINES, {"machine": "new"}]).to_dict()
    newest = {row["machine"]: row["readings"] for row in stored(offline).to_pylist()}
    m3 = online["readings"].pop(3)
    assert online["readings"] == [newest["m0"], newest["m1"], newest["m2"], None, None]
    np.testing.assert_array_equal(m3, [*newest["m3"][:2], math.nan])
    assert (
        materialize(Deployment(pipeline, offline), toy.days(0, 6), features=judged(toy.days(0, 6), "features")) == found
    )


@pytest.mark.parametrize(
    ("machine", "change"),
    [
        ("m0", lambda array: [*array[:2], array[2] + 1e-9]),
        ("m0", lambda array: [math.nan, *array[1:]]),
        ("m0", lambda array: array[:2]),
        ("m0", lambda _array: None),
        ("m3", lambda array: [*array[:2], 1.0]),
        ("m4", lambda _null: [1.0, 2.0, 3.0]),
    ],
    ids=["element", "nan", "shorter", "null", "number_for_null", "array_for_null"],
)
def test_an_array_online_that_differs_in_any_element_is_refused(offline, machine, change):
    pipeline = toy.toy_pipeline(offline)
    materialize(Deployment(pipeline, offline), toy.days(0, 6), features=judged(toy.days(0, 6), "features"))
    newest = {row["machine"]: row["readings"] for row in stored(offline).to_pylist()}
    changed = change(newest[machine])
    value = Value() if changed is None else Value(double_list_val=DoubleList(val=changed))
    sql = "UPDATE toy_machine_heat SET value = ? WHERE feature_name = 'readings' AND instr(entity_key, ?)"
    with closing(sqlite3.connect(offline.online_store["path"])) as connection, connection:
        assert connection.execute(sql, (value.SerializeToString(), machine.encode())).rowcount == 1
    says = rf"online store: machine_heat\.readings of .*'{machine}'.* is .*, the newest value known is"
    with pytest.raises(DataContractError, match=says):
        materialize(Deployment(pipeline, offline), toy.days(0, 2), features=judged(toy.days(0, 2), "features"))


def test_honest_arrays_pass_the_leak_check(built):
    assert len(leak_check.check_leaks(toy.toy_pipeline(built), frame(built), built)) == 2


@pytest.mark.parametrize(
    ("leak", "column"),
    [("following.get(machines[at], arrays[at])", "readings_0"),
     ("arrays[at] and [*arrays[at][:2], (following.get(machines[at]) or arrays[at])[0]]", "readings_2")],
    ids=["whole_array", "last_element"],
)  # fmt: skip
def test_a_function_that_reads_the_row_after_is_refused_and_the_element_named(tmp_path, leak, column):
    transforms = toy_arrays.LEAKING.replace("following.get(machines[at], arrays[at])", leak)
    settings = toy_arrays.write_project(
        tmp_path / "project", Settings().project_dir, transforms=transforms, through="next_readings"
    )
    toy.land(settings, days=range(6))
    toy.run_data(settings, toy.days(0, 6))
    says = rf"leak: feature '{column}' of j\d{{3}}-\d{{3}} at 2020-01-0\dT"
    with pytest.raises(DataContractError, match=says):
        leak_check.check_leaks(toy.toy_pipeline(settings), frame(settings), settings)
