"""Views are typed by what Feast declares, so that a value is the same in the lake, offline and online."""

import pyarrow as pa
import pytest
from tests.support import toy, toy_arrays

from airloop.errors import ConfigError, DataContractError
from airloop.features import feature_views
from airloop.settings import Settings
from airloop.stores import lake

WINDOW = toy.days(0, 1)
THIRD = 1 / 3
# float32 of 1/3, as a double
ROUNDED = 0.3333333432674408


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Arrays of three; the query and what it goes through are each test's own."""
    return toy_arrays.write_project(tmp_path / "project", Settings().project_dir)


def heat(settings, celsius, readings="[1.0, 2.0, 3.0]", *, where="", returned=None):
    """The rows of machine_heat when its query selects these expressions, for m0 at two instants.

    With `returned`, an expression of `rows`, they go through a function.
    """
    stamps = pa.array([toy.START, toy.START.replace(hour=1)], lake.INSTANT)
    feed = pa.table({"machine": ["m0", "m0"], "n": [0, 1], "known_at": stamps, "created_at": stamps})
    folder = settings.pipelines_dir / "toy"
    text = (folder / "features.sql").read_text()
    start, end = text.index("-- view: machine_heat"), text.index("-- examples")
    heading = "-- view: machine_heat" + (" through f" if returned else "")
    query = f"SELECT machine, {celsius} AS celsius, {readings} AS readings, known_at, created_at FROM heat {where};"
    (folder / "features.sql").write_text(f"{text[:start]}{heading}\n{query}\n\n{text[end:]}")
    (folder / "transforms.py").write_text(f"import pyarrow as pa\n\n\ndef f(rows):\n    return {returned}\n")
    return views(settings, heat=feed)["machine_heat"]


def views(settings, **feeds):
    stamps = pa.array([toy.START], lake.INSTANT)
    jobs = pa.table({"job": ["j"], "size": [1], "machine": ["m0"], "known_at": stamps, "created_at": stamps})
    return feature_views.compute_views(toy.toy_pipeline(settings), WINDOW, {"jobs": jobs, **feeds}, settings)


def declare(settings, old, new):
    toy_arrays.rewrite(settings.feature_repo_dir / "toy.py", old, new)


@pytest.mark.parametrize(
    "readings",
    ["[1.0, 2.5, 3]", "[1.0, 2.5, 3]::FLOAT[]", "[1.0, 2.5, 3]::DOUBLE[3]", "[1.0, 2.5, 3]::DECIMAL(9, 3)[]"],
)
def test_every_list_of_numbers_is_a_list_of_doubles(settings, readings):
    rows = heat(settings, "n", readings)
    assert rows.schema.field("readings").type == pa.list_(pa.float64())
    assert rows["readings"].to_pylist() == [[1.0, 2.5, 3.0]] * 2


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        (2, "pa.large_list(pa.int8())"),
        (2, "pa.list_(pa.float32())"),
        (2, "pa.list_(pa.uint64(), 3)"),
        (True, "pa.list_(pa.bool_())"),
    ],
)
def test_so_is_what_a_function_returns(settings, element, kind):
    made = f"pa.array([[{element}] * 3] * len(rows), {kind})"
    rows = heat(settings, "n", returned=f"rows.set_column(2, 'readings', {made})")
    assert rows.schema.field("readings").type == pa.list_(pa.float64())
    assert rows["readings"].to_pylist() == [[float(element)] * 3] * 2


def test_nulls_stay_nulls_as_arrays_and_as_elements(settings):
    rows = heat(settings, "n", "CASE WHEN n = 0 THEN [1.0, NULL, 3.0] END")
    assert rows["readings"].to_pylist() == [[1.0, None, 3.0], None]


def test_values_declared_as_float32_are_rounded_to_what_online_stores_hold(settings):
    declare(settings, "dtype=Array(Float64)", "dtype=Array(Float32)")
    declare(settings, 'name="celsius", dtype=Float64', 'name="celsius", dtype=Float32')
    rows = heat(settings, "1 / 3", "[1 / 3, NULL, 0.5]")
    assert rows.schema.field("readings").type == pa.list_(pa.float64())
    assert (rows["celsius"][0].as_py(), rows["readings"][0].as_py()) == (ROUNDED, [ROUNDED, None, 0.5])
    assert heat(settings, "n", "NULL::DOUBLE[]")["readings"].null_count == 2


def test_values_declared_as_float64_are_not_rounded(settings):
    rows = heat(settings, "1 / 3", "[1 / 3, NULL, 0.5]")
    assert (rows["celsius"][0].as_py(), rows["readings"][0].as_py()) == (THIRD, [THIRD, None, 0.5])


@pytest.mark.parametrize("where", ["", "WHERE false"], ids=["all_null", "no_rows"])
@pytest.mark.parametrize("kind", ["pa.null()", "pa.list_(pa.null())"])
def test_a_column_without_a_type_takes_the_declared_one(settings, where, kind):
    made = f"rows.set_column(2, 'readings', pa.nulls(len(rows), {kind})).set_column(1, 'celsius', pa.nulls(len(rows)))"
    rows = heat(settings, "n", where=where, returned=made)
    assert rows.schema.field("readings").type == pa.list_(pa.float64())
    assert rows.schema.field("celsius").type == pa.float64()
    assert rows["readings"].null_count == rows.num_rows == (0 if where else 2)


def test_an_array_of_another_length_is_refused_where_it_is_made(settings):
    says = r"feature machine_heat\.readings of machine m0, known_at 2020-01-01 01:00.*: has 2 elements, declared are 3"
    with pytest.raises(DataContractError, match=says):
        heat(settings, "n", "CASE WHEN n = 0 THEN [1, 2, 3] ELSE [1, 2] END")


@pytest.mark.parametrize("readings", ["1.0", "'text'", "['a', 'b', 'c']"])
def test_a_declared_array_that_is_no_list_of_numbers_is_refused(settings, readings):
    with pytest.raises(ConfigError, match=r"machine_heat\.readings: declared as an array, but its column is"):
        heat(settings, "n", readings)


def test_a_list_that_is_not_declared_as_an_array_is_refused(settings):
    with pytest.raises(ConfigError, match=r"machine_heat\.celsius: is declared double, but its column is list<"):
        heat(settings, "[n]")


def test_a_table_goes_through_a_function_before_the_sections_after_it_read_it(settings):
    folder = settings.pipelines_dir / "toy"
    (folder / "transforms.py").write_text(
        "import pyarrow as pa\n\ndef decode(rows):\n"
        "    made = pa.array([list(map(int, text)) for text in rows['digits'].to_pylist()])\n"
        "    return rows.drop(['digits']).append_column('readings', made)\n"
    )
    toy_arrays.rewrite(folder / "features.sql", "-- view: job_static", "-- table: decoded through decode\n"
        "SELECT machine, '123' AS digits, known_at, created_at FROM heat;\n\n-- view: job_static")  # fmt: skip
    toy_arrays.rewrite(
        folder / "features.sql",
        "-- view: machine_heat through last_readings\nSELECT machine, celsius, known_at, created_at FROM heat",
        "-- view: machine_heat\nSELECT machine, readings[3] AS celsius, readings, known_at, created_at FROM decoded",
    )
    stamps = pa.array([toy.START], lake.INSTANT)
    feed = pa.table({"machine": ["m0"], "known_at": stamps, "created_at": stamps})
    rows = views(settings, heat=feed)["machine_heat"]
    assert rows.select(["celsius", "readings"]).to_pylist() == [{"celsius": 3.0, "readings": [1.0, 2.0, 3.0]}]
