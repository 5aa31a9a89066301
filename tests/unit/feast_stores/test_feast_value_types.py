"""Values pass through the offline store as they lie in the lake: arrays, integers beside gaps, every key type."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.data_format import DeltaFormat, ParquetFormat
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

from airloop.errors import DataContractError
from airloop.feast_stores.asof_join import History, as_of_lines

pytestmark = [
    # Feast's own duckdb store, the reference here, goes through ibis 12, which calls a method DuckDB 2 renamed.
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
]

STAMP = pa.timestamp("us", "UTC")
HOURS = [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in range(6)]
VALUES = pa.table(
    {
        "k": pa.array(["a", "b", "a", "b", "a", "c"]),
        "known_at": pa.array(HOURS, STAMP),
        "created_at": pa.array(HOURS, STAMP),
        "pixels": pa.array([[0.5, 1.5], [2.5, None], None, [], [3.5], [float("nan")]], pa.list_(pa.float64())),
        "counts": pa.array([[1], [2**53 + 1], None, [], [3, 4], [5]], pa.list_(pa.int64())),
        "words": pa.array([["x"], ["y", None], None, [], ["z"], ["é"]], pa.list_(pa.string())),
        "int64": pa.array([1, 2**53 + 1, None, 4, 5, 6], pa.int64()),
        "int32": pa.array([1, 2, None, 4, 5, 6], pa.int32()),
        "float32": pa.array([0.1, 0.2, None, 0.4, 0.5, 0.6], pa.float32()),
        "flag": pa.array([True, False, None, True, False, True]),
        "text": pa.array(["", "é", None, "x", "y", "z"]),
        "raw": pa.array([b"", b"\x00", None, b"x", b"y", b"z"]),
        "moment": pa.array([*HOURS[:2], None, *HOURS[3:]], STAMP),
    }
)
TYPES = {
    "pixels": Array(Float64), "counts": Array(Int64), "words": Array(String), "int64": Int64, "int32": Int32,
    "float32": Float32, "flag": Bool, "text": String, "raw": Bytes, "moment": UnixTimestamp,
}  # fmt: skip
ASKED = pd.DataFrame({"k": ["a", "b", "nobody", "a", "b", "c", "a"], "event_timestamp": [*HOURS[:4], *HOURS[3:]]})


def retrieved(folder, *, own):
    stamps = {"timestamp_field": "known_at", "created_timestamp_column": "created_at"}
    if own:
        write_deltalake(str(folder / "lake" / "values"), VALUES)
        source = FileSource(path="values", file_format=DeltaFormat(), **stamps)
        offline = {"type": "airloop.feast_stores.offline_store.AsofOfflineStore", "lake_uri": str(folder / "lake")}
    else:
        pq.write_table(VALUES, folder / "values.parquet")
        source = FileSource(path=str(folder / "values.parquet"), file_format=ParquetFormat(), **stamps)
        offline = {"type": "duckdb"}
    online = {"type": "sqlite", "path": str(folder / "online.db")}
    registry = str(folder / f"registry-{own}.db")
    config = RepoConfig(project="p", provider="local", registry=registry, offline_store=offline, online_store=online)
    entity = Entity(name="k", join_keys=["k"], value_type=ValueType.STRING)
    schema = [Field(name="k", dtype=String), *(Field(name=name, dtype=kind) for name, kind in TYPES.items())]
    store = FeatureStore(config=config)
    store.apply(
        [entity, FeatureView(name="view", entities=[entity], ttl=timedelta(days=1), schema=schema, source=source)]
    )
    features = [f"view:{name}" for name in TYPES]
    return store.get_historical_features(ASKED, features, filter_by_created_timestamp=True).to_arrow()


def test_every_type_passes_with_its_nulls_and_arrays_with_their_elements(tmp_path):
    found = retrieved(tmp_path, own=True)
    lines = [0, 1, None, 2, 3, None, 4]
    for name in TYPES:
        assert found.schema.field(name).type == VALUES.schema.field(name).type
        # As text: a NaN in an array is not equal to itself.
        assert str(found[name].to_pylist()) == str(VALUES[name].take(pa.array(lines, pa.int64())).to_pylist())


def test_arrays_are_what_stock_feast_answers(tmp_path):
    stock, own = (retrieved(tmp_path, own=own) for own in (False, True))
    assert own.schema.equals(stock.schema)
    assert sorted(map(str, own.to_pylist())) == sorted(map(str, stock.to_pylist()))


def found_by(key, known):
    """The line each asked key finds an hour after every known one."""
    rows = pa.table([known, pa.array([HOURS[0]] * len(known))], ["k", "moment"])
    asked = pa.table([key, pa.array([HOURS[1]] * len(key))], ["k", "asked"])
    return as_of_lines(History("values", rows, ["k"], "moment"), asked).to_pylist()


LARGE = 2**53


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (pa.int32(), pa.int64()),
        (pa.int64(), pa.int16()),
        (pa.uint64(), pa.int64()),
        (pa.float64(), pa.int64()),
        (pa.int64(), pa.float32()),
        (pa.decimal128(5, 1), pa.int64()),
        (pa.large_string(), pa.string()),
        (pa.string_view(), pa.large_string()),
        (pa.date32(), pa.date32()),
        (pa.binary(), pa.binary()),
    ],
)
def test_equal_keys_meet_whatever_type_holds_them(asked, known):
    one, two = (b"1", b"2") if asked == pa.binary() else ("1", "2") if is_text(asked) else (1, 2)
    assert found_by(pa.array([two, None, one], asked), pa.array([one, two], known)) == [1, None, 0]


def is_text(kind):
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def test_large_integers_of_two_types_are_not_taken_for_their_neighbours():
    assert found_by(pa.array([LARGE, LARGE + 1], pa.uint64()), pa.array([LARGE + 1], pa.int64())) == [None, 0]
    assert found_by(pa.array([2**64 - 1], pa.uint64()), pa.array([-1], pa.int64())) == [None]


def test_a_key_without_any_value_finds_nothing_and_an_empty_side_is_no_error():
    assert found_by(pa.nulls(2), pa.array(["a", None])) == [None, None]
    assert found_by(pa.array(["a"]), pa.array([], pa.string())) == [None]
    assert found_by(pa.array([], pa.string()), pa.array(["a"])) == []


@pytest.mark.parametrize("other", [pa.array([True]), pa.array(["1"]), pa.array([HOURS[0]])])
def test_kinds_that_never_are_equal_are_refused(other):
    with pytest.raises(DataContractError, match=r"join key k is .* in the entity rows and int64 in values"):
        found_by(other, pa.array([1]))


def test_a_correction_of_one_key_leaves_the_others_as_they_were():
    late = HOURS[4]
    rows = pa.table(
        {
            "k": ["a", "a", "b", "b"],
            "moment": [HOURS[0], HOURS[1], HOURS[0], HOURS[1]],
            "created": [late, HOURS[1], HOURS[0], HOURS[1]],
        }
    )
    asked = pa.table({"k": ["a", "a", "a", "b", "b"], "asked": [HOURS[0], HOURS[1], HOURS[5], HOURS[0], HOURS[1]]})
    history = History("values", rows, ["k"], "moment", "created")
    assert as_of_lines(history, asked, as_known=True).to_pylist() == [None, 1, 1, 2, 3]
    assert as_of_lines(history, asked).to_pylist() == [0, 1, 1, 2, 3]
