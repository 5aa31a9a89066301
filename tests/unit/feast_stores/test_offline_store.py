from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.data_format import DeltaFormat, ParquetFormat
from feast.types import Int64, from_value_type

from airloop.errors import DataContractError
from airloop.feast_stores import offline_store

pytestmark = [
    # Feast's own duckdb store, the reference here, goes through ibis 12, which calls a method DuckDB 2 renamed.
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),
]

REFS = ["view:v", "view:line"]


def at(day, hour=0):
    return datetime(2013, 1, day, hour, tzinfo=UTC)


def history(rows, *, key_type=None, zone="UTC"):
    """Rows of (key, known_at, created_at, v); `line` numbers them."""
    keys, known_at, created_at, values = zip(*rows, strict=True)
    stamp = pa.timestamp("us", zone)
    return pa.table(
        {
            "k": pa.array(keys, key_type or pa.string()),
            "known_at": pa.array(known_at, stamp),
            "created_at": pa.array(created_at, stamp),
            "v": pa.array(values, pa.int64()),
            "line": pa.array(range(len(rows)), pa.int64()),
        }
    )


def asked(*rows, **columns):
    return pd.DataFrame({"k": [row[0] for row in rows], "event_timestamp": [row[1] for row in rows], **columns})


def open_store(folder, table, *, own=True, key=ValueType.STRING, ttl=timedelta(0), created="created_at", mapping=None):
    stamps = {"timestamp_field": "known_at", "created_timestamp_column": created, "field_mapping": mapping}
    if own:
        write_deltalake(str(folder / "lake" / "values"), table)
        source = FileSource(path="values", file_format=DeltaFormat(), **stamps)
        offline = {"type": "airloop.feast_stores.offline_store.AsofOfflineStore", "lake_uri": str(folder / "lake")}
    else:
        pq.write_table(table, folder / "values.parquet")
        source = FileSource(path=str(folder / "values.parquet"), file_format=ParquetFormat(), **stamps)
        offline = {"type": "duckdb"}
    registry = str(folder / f"registry-{own}.db")
    online = {"type": "sqlite", "path": str(folder / "online.db")}  # Feast's default lies in the working directory
    config = RepoConfig(project="p", provider="local", registry=registry, offline_store=offline, online_store=online)
    entity = Entity(name="k", join_keys=["k"], value_type=key)
    schema = [Field(name="k", dtype=from_value_type(key)), *(Field(name=name, dtype=Int64) for name in ("v", "line"))]
    store = FeatureStore(config=config)
    store.apply([entity, FeatureView(name="view", entities=[entity], ttl=ttl, schema=schema, source=source)])
    return store


def rows_of(table):
    return sorted(map(str, table.to_pylist()))


VALUES = history(
    [
        ("a", at(1, 10), at(1, 10), 1),
        ("a", at(1, 12), at(1, 13), 3),  # a correction of the next row, made an hour later
        ("a", at(1, 12), at(1, 12), 2),
        ("a", at(2), None, 9),
        ("a", at(2), at(2), 2**53 + 1),
        ("a", at(1, 14), at(1, 20), 4),  # known only six hours after the instant it holds for
        ("b", at(1, 10), at(1, 10), 5),
        ("b", at(1, 11), at(1, 11), None),
        (None, at(1, 10), at(1, 10), 77),
    ]
)
ENTITIES = asked(
    ("a", at(1, 9)), ("a", at(1, 10)), ("a", at(1, 12)), ("a", at(1, 12)), ("a", at(1, 15)), ("a", at(1, 16)),
    ("a", at(1, 21)), ("a", at(3)), ("b", at(1, 12)), ("missing", at(1, 12)), (None, at(1, 12)), ("a", at(1, 12)),
    label=range(12),
)  # fmt: skip
NUMBERS = history([(1, at(1), at(1), 1), (2, at(1), at(1), 2)], key_type=pa.int64())
STAMP = "event_timestamp"

SAME_AS_STOCK = {
    "everything at once": (VALUES, ENTITIES, {}, {}),
    "ttl, its edge included": (VALUES, ENTITIES, {"ttl": timedelta(hours=2)}, {}),
    "as it was known": (VALUES, ENTITIES, {}, {"filter_by_created_timestamp": True}),
    "as it was known, with a ttl": (
        VALUES, ENTITIES, {"ttl": timedelta(hours=2)}, {"filter_by_created_timestamp": True},
    ),
    "full names": (VALUES, ENTITIES, {}, {"full_feature_names": True}),
    "no created timestamp": (
        VALUES.slice(4), ENTITIES, {"created": ""}, {"filter_by_created_timestamp": True},
    ),
    "naive entity timestamps": (VALUES, ENTITIES.assign(event_timestamp=ENTITIES[STAMP].dt.tz_localize(None)), {}, {}),
    "entity timestamps of New York": (
        VALUES, ENTITIES.assign(event_timestamp=ENTITIES[STAMP].dt.tz_convert("America/New_York")), {}, {},
    ),
    "entity timestamps in nanoseconds": (
        VALUES, ENTITIES.assign(event_timestamp=ENTITIES[STAMP].astype("datetime64[ns, UTC]")), {}, {},
    ),
    "entity timestamps as text": (VALUES, ENTITIES.assign(event_timestamp=ENTITIES[STAMP].astype(str)), {}, {}),
    "an entity timestamp missing": (VALUES, pd.concat([ENTITIES, asked(("a", pd.NaT), label=[12])]), {}, {}),
    "no entity rows": (VALUES, ENTITIES.iloc[:0], {}, {}),
    "naive values": (history([("a", datetime(2013, 1, 1), None, 1)], zone=None), ENTITIES, {}, {}),
    "another timestamp column": (VALUES, ENTITIES.rename(columns={STAMP: "decided_at"}), {}, {}),
    "only missing keys": (VALUES, asked((None, at(3))), {}, {}),
    "a float key with gaps": (NUMBERS, asked((1.0, at(2)), (float("nan"), at(2))), {"key": ValueType.INT64}, {}),
    "a smaller integer key": (NUMBERS, asked((1, at(2))).astype({"k": "int32"}), {"key": ValueType.INT64}, {}),
    "renamed columns": (
        VALUES.rename_columns({"k": "source_k", "known_at": "stamp", "v": "source_v"}), ENTITIES,
        {"mapping": {"source_k": "k", "stamp": "known_at", "source_v": "v"}}, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("values", "entities", "view", "options"), SAME_AS_STOCK.values(), ids=SAME_AS_STOCK)
def test_answers_what_stock_feast_answers(tmp_path, values, entities, view, options):
    stock, own = (
        open_store(tmp_path, values, own=own, **view).get_historical_features(entities, REFS, **options).to_arrow()
        for own in (False, True)
    )
    assert own.schema.equals(stock.schema)
    assert rows_of(own) == rows_of(stock)


def test_keeps_the_order_the_repetitions_and_the_callers_frame(tmp_path):
    before = ENTITIES.copy(deep=True)
    found = open_store(tmp_path, VALUES).get_historical_features(ENTITIES, REFS).to_arrow()
    assert found["label"].to_pylist() == list(range(12))
    pd.testing.assert_frame_equal(ENTITIES, before)


def test_integers_with_gaps_stay_integers(tmp_path):
    found = open_store(tmp_path, VALUES).get_historical_features(ENTITIES, REFS).to_arrow()
    assert found.schema.field("v").type == pa.int64()
    assert found["v"].to_pylist() == [None, 1, 3, 3, 4, 4, 4, 2**53 + 1, None, None, None, 3]


def pulled(store, start, end):
    source = store.get_feature_view("view").batch_source
    columns = (["k"], ["v", "line"], "known_at", source.created_timestamp_column)
    offline = offline_store.AsofOfflineStore
    return offline.pull_latest_from_table_or_query(store.config, source, *columns, start, end).to_arrow().to_pylist()


def test_a_window_excludes_its_end(tmp_path):
    store = open_store(tmp_path, history([("a", at(1), at(1), 1), ("a", at(2), at(2), 2), ("b", at(2), at(2), 3)]))
    assert [(row["k"], row["v"]) for row in pulled(store, at(1), at(2))] == [("a", 1)]
    assert [(row["k"], row["v"]) for row in pulled(store, at(2), at(3))] == [("a", 2), ("b", 3)]


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [(at(3), at(2), 0), (at(2), at(3), 1), (at(2), None, 0), (None, at(2), 1), (at(2), at(2), 1), (None, None, 1)],
)
def test_of_equal_instants_the_largest_created_timestamp_wins_then_the_last_row(tmp_path, first, second, winner):
    store = open_store(tmp_path, history([("a", at(1), first, 1), ("a", at(1), second, 2)]))
    found = store.get_historical_features(asked(("a", at(9))), REFS).to_arrow()
    assert found["line"].to_pylist() == [winner]
    assert [row["line"] for row in pulled(store, at(1), at(2))] == [winner]


@pytest.mark.parametrize(
    ("values", "entities", "key"),
    [(NUMBERS, asked(("1", at(2))), ValueType.INT64), (VALUES, asked((1, at(2))), ValueType.STRING)],
)
def test_refuses_a_key_that_is_text_on_one_side_and_a_number_on_the_other(tmp_path, values, entities, key):
    store = open_store(tmp_path, values, key=key)
    with pytest.raises(DataContractError, match=r"join key k is (string|int64) in the entity rows and (int64|string)"):
        store.get_historical_features(entities, REFS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(v=1), "column v would appear twice"),
        (lambda frame: frame.drop(columns="k"), "no column k, join key of values"),
    ],
)
def test_refuses_entity_rows_with_a_column_too_many_or_too_few(tmp_path, change, message):
    store = open_store(tmp_path, VALUES)
    with pytest.raises(DataContractError, match=message):
        store.get_historical_features(change(ENTITIES), REFS)


def test_refuses_a_feature_that_is_not_in_the_table(tmp_path):
    store = open_store(tmp_path, VALUES.drop_columns("v"))
    with pytest.raises(DataContractError, match="values has no column v"):
        store.get_historical_features(ENTITIES, REFS)


def test_refuses_a_join_that_loses_rows(tmp_path, monkeypatch):
    store = open_store(tmp_path, VALUES)
    monkeypatch.setattr(offline_store, "as_of_lines", lambda *_, **__: pa.chunked_array([[0, 1]]))
    with pytest.raises(DataContractError, match="12 entity rows became 2 in the join with values"):
        store.get_historical_features(ENTITIES, REFS)
