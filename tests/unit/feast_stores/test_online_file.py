"""Feast's SQLite store read without Feast: keys and values as Feast writes them."""

import math
import sqlite3
from datetime import UTC, datetime

import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import BytesList, DoubleList, FloatList, Null, StringList, Value

from airloop.errors import UpstreamUnavailable
from airloop.feast_stores import online_file
from airloop.feast_stores.online_file import OnlineFile, entity_key

KEYS = [
    ({"machine": "STRING"}, ["m1"]),
    ({"machine": "STRING"}, ["ü 漢"]),
    ({"zone": "INT64", "machine": "STRING"}, [-5, ""]),
    ({"b": "INT32", "a": "INT64", "c": "STRING"}, [7, 2**62, "x"]),
]
VALUES = [
    (Value(), None),
    (Value(null_val=Null.NULL), None),
    (Value(string_val=""), ""),
    (Value(string_val="é" * 200), "é" * 200),
    (Value(int32_val=-3), -3),
    (Value(int64_val=-(2**63)), -(2**63)),
    (Value(int64_val=0), 0),
    (Value(double_val=1.1), 1.1),
    (Value(double_val=-0.0), -0.0),
    (Value(float_val=1.5), 1.5),
    (Value(bool_val=True), True),
    (Value(bool_val=False), False),
    (Value(double_list_val=DoubleList(val=[1.0, math.inf])), [1.0, math.inf]),
    (Value(double_list_val=DoubleList()), []),
    (Value(float_list_val=FloatList(val=[0.5] * 300)), [0.5] * 300),
    (Value(string_list_val=StringList(val=["a", "b"])), ["a", "b"]),
    (Value(bytes_list_val=BytesList(val=[b"a"])), [b"a"]),
]


@pytest.mark.parametrize(("kinds", "values"), KEYS)
def test_a_key_is_written_as_feast_writes_it(kinds, values):
    fields = {"STRING": "string_val", "INT64": "int64_val", "INT32": "int32_val"}
    parts = [Value(**{fields[kind]: value}) for kind, value in zip(kinds.values(), values, strict=True)]
    assert entity_key(kinds, values) == serialize_entity_key(EntityKey(join_keys=list(kinds), entity_values=parts), 3)


@pytest.mark.parametrize(("stored", "value"), VALUES)
def test_a_value_is_read_as_feast_reads_it(stored, value):
    found = online_file._value(stored.SerializeToString())
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("stored", [1359715440, "2013-02-01 10:44:00", "2013-02-01T12:44:00+02:00"])
def test_an_instant_is_read_in_each_way_it_is_stored(stored):
    assert online_file._instant(stored) == datetime(2013, 2, 1, 10, 44, tzinfo=UTC)


def test_a_file_or_view_that_is_not_there_is_an_outage_and_makes_no_file(tmp_path):
    file = OnlineFile(tmp_path / "online.db", "toy")
    with pytest.raises(UpstreamUnavailable, match=r"online\.db: unable to open"):
        file.read("heat", b"key")
    assert not file.path.exists()
    sqlite3.connect(file.path).close()
    file.path.write_bytes(b"")
    with pytest.raises(UpstreamUnavailable, match="no such table: toy_heat"):
        OnlineFile(file.path, "toy").read("heat", b"key")
