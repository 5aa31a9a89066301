"""An array feature is declared with its length, and becomes that many numbers in every frame."""

import math

import numpy as np
import pyarrow as pa
import pytest
from feast import Field
from feast.types import Array, Float32, Float64, Int64, String
from hypothesis import given
from hypothesis import strategies as st

from airloop.errors import ConfigError, DataContractError
from airloop.features import arrays
from airloop.features.arrays import ArrayFeature

LIST = pa.list_(pa.float64())
PAIR = ArrayFeature("scans", "pixels", 2)
PAIRS = st.none() | st.tuples(*[st.none() | st.floats(allow_nan=False, width=64)] * 2).map(list)


def declared(dtype=Array(Float64), **tags):  # noqa: B008 (never changed)
    return arrays.array_feature("scans", Field(name="pixels", dtype=dtype, tags=tags))


def scans(*values, kind=LIST):
    numbers = pa.array(range(len(values)), pa.int64())
    names = pa.array([f"d{number}" for number in numbers], pa.string())
    return pa.table({"scan": names, "pixels": pa.array(values, kind), "n": numbers})


def flat(rows, array=PAIR):
    return arrays.flatten(rows, [array], key=["scan"])


@pytest.mark.parametrize("dtype", [Array(Float64), Array(Float32)])
def test_an_array_of_numbers_with_its_length_is_an_array_feature(dtype):
    assert declared(dtype, length="64") == ArrayFeature("scans", "pixels", 64)


@pytest.mark.parametrize("dtype", [Float64, Float32, String])
def test_any_other_type_is_none_whatever_its_tags(dtype):
    assert declared(dtype, length="64") is None


@pytest.mark.parametrize("tags", [{}, *({"length": text} for text in ("", "0", "-2", "2.0", "two", "2 ", "²", "٣"))])
def test_an_array_without_a_whole_number_above_zero_as_its_length_is_refused(tags):
    with pytest.raises(ConfigError, match=r"feature scans\.pixels: an array needs the number of its elements as a tag"):
        declared(**tags)


@pytest.mark.parametrize("dtype", [Array(Int64), Array(String), Array(Array(Float64))])
def test_an_array_of_anything_else_is_refused(dtype):
    with pytest.raises(ConfigError, match=r"feature scans\.pixels: is .*; an array holds Float64 or Float32"):
        declared(dtype, length="2")


@pytest.mark.parametrize(
    ("length", "first", "last"), [(1, "a_0", "a_0"), (10, "a_0", "a_9"), (11, "a_00", "a_10"), (1000, "a_000", "a_999")]
)
def test_names_are_numbered_with_as_many_digits_as_the_last_one_needs(length, first, last):
    names = ArrayFeature("v", "a", length).columns
    assert (names[0], names[-1], len(names)) == (first, last, length)
    assert sorted(names) == [*names]


def test_the_elements_take_the_place_of_the_array_and_null_becomes_nan():
    rows = flat(scans([1.0, 2.0], None, [None, math.inf]))
    assert rows.schema.names == ["scan", "pixels_0", "pixels_1", "n"]
    assert rows.schema.field("pixels_0").type == pa.float64()
    np.testing.assert_array_equal(rows["pixels_0"].to_numpy(), [1.0, math.nan, math.nan])
    np.testing.assert_array_equal(rows["pixels_1"].to_numpy(), [2.0, math.nan, math.inf])


@given(values=st.lists(PAIRS, max_size=8), pieces=st.integers(1, 3), start=st.integers(0, 3))
def test_no_value_moves_whatever_the_chunks_and_the_slice(values, pieces, start):
    parts = [scans(*values[at::pieces]) for at in range(pieces)]
    rows = pa.concat_tables(parts).slice(start)
    found = flat(rows)
    for at, array in enumerate(rows["pixels"].to_pylist()):
        expected = [math.nan if element is None else element for element in array or [None, None]]
        np.testing.assert_array_equal([found["pixels_0"][at].as_py(), found["pixels_1"][at].as_py()], expected)


def test_a_table_without_rows_has_the_columns_too():
    assert flat(scans()).schema.names == ["scan", "pixels_0", "pixels_1", "n"]


@pytest.mark.parametrize("value", [[], [1.0], [1.0, 2.0, 3.0]])
def test_an_array_of_another_length_is_refused_with_view_feature_key_and_both_lengths(value):
    says = rf"feature scans\.pixels of scan d2: has {len(value)} elements, declared are 2"
    with pytest.raises(DataContractError, match=says):
        flat(scans([1.0, 2.0], None, value, [1.0]))


@pytest.mark.parametrize("kind", [pa.float64(), pa.string(), pa.list_(pa.string())])
def test_a_column_that_is_no_list_of_numbers_is_refused(kind):
    with pytest.raises(ConfigError, match=r"feature scans\.pixels: declared as an array, but its column is"):
        flat(scans(None, None, kind=kind))
