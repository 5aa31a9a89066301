"""What stages hand to each other survives JSON, and a window that is none is refused."""

import dataclasses
import json
import math
import types
import typing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airloop import records
from airloop.errors import DataContractError
from airloop.records import Record, Window, instant_or_default, parse_instant
from airloop.stores import ledger

RECORDS = [
    item
    for module in (records, ledger)
    for item in vars(module).values()
    if isinstance(item, type)
    and issubclass(item, Record)
    and item.__module__.startswith(module.__name__)
    and item is not Record
]
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
ZONED = st.datetimes(
    datetime(1990, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(INSTANTS)
    return Window(start, start + draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=400))))


def values(hint: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Any value a field of this type may hold."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(values(item) for item in arguments))
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text(), values(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Record):
        return instances(hint)
    return {
        type(None): st.none(),
        str: st.text(),
        int: st.integers(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        datetime: INSTANTS,
        typing.Any: JSON,
    }[hint]


def instances(record: type[Record]) -> st.SearchStrategy[Record]:
    if record is Window:
        return windows()
    hints = typing.get_type_hints(record)
    return st.builds(record, **{field.name: values(hints[field.name]) for field in dataclasses.fields(record)})


def test_every_stage_record_is_among_the_tested() -> None:
    assert {"Window", "Ingested", "Snapshot", "Decision", "Monitored", "Action", "Entry"} <= {
        r.__name__ for r in RECORDS
    }


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
@given(data=st.data())
def test_a_record_survives_json_text(record: type[Record], data: st.DataObject) -> None:
    original = data.draw(instances(record))
    assert record.from_json(json.loads(json.dumps(original.to_json()))) == original


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_are_frozen(record: type[Record]) -> None:
    assert record.__dataclass_params__.frozen


def test_a_nan_becomes_null_because_json_has_none() -> None:
    check = records.Check("floor", passed=False, observed=math.nan, says="")
    assert check.to_json()["observed"] is None


CHECK = {"rule": "floor", "passed": True, "observed": 1.0, "says": ""}


@pytest.mark.parametrize(
    ("record", "data", "says"),
    [
        (
            records.Check,
            {**CHECK, "bogus": 1},
            "record Check has no field 'bogus' (fields: rule, passed, observed, says)",
        ),
        (records.Check, {"rule": "floor", "passed": True, "says": ""}, "record Check lacks its field 'observed'"),
        (records.Check, {**CHECK, "passed": "yes"}, "record Check: passed is 'yes', which is not true or false"),
        (records.Check, {**CHECK, "passed": 1}, "passed is 1, which is not true or false"),
        (records.Check, {**CHECK, "observed": "0.5"}, "observed is '0.5', which is not a number"),
        (records.Check, {**CHECK, "observed": True}, "observed is True, which is not a number"),
        (records.Check, {**CHECK, "rule": None}, "rule is None, which is not a text"),
        (records.Check, [1], "the whole is [1], which is not the fields of Check"),
        (Window, {"start": "2020-01-01", "end": "2020-01-02T00:00"}, "end is '2020-01-02T00:00', which is not an ISO"),
        (Window, {"start": 5, "end": "2020-01-02"}, "start is 5, which is not an ISO"),
    ],
)
def test_json_of_another_shape_is_refused_with_record_field_and_value(
    record: type[Record], data: typing.Any, says: str
) -> None:
    with pytest.raises(DataContractError) as refused:
        record.from_json(data)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("tables", 0, "rows"), "3", "record Ingested: tables[0].rows is '3', which is not an integer"),
        (("tables", 0, "rows"), 3.5, "tables[0].rows is 3.5, which is not an integer"),
        (("replaced", "jobs"), [], "replaced.jobs is [], which is not an integer"),
        (("window", "start"), "now", "window.start is 'now', which is not an ISO 8601 instant"),
        (("missing",), "jobs", "missing is 'jobs', which is not a list"),
        (("window",), None, "window is None, which is not the fields of Window"),
    ],
)
def test_the_place_of_a_wrong_value_is_named_however_deep_it_lies(
    place: tuple[typing.Any, ...], value: typing.Any, says: str
) -> None:
    window = Window.parse("2020-01-01", "2020-01-02")
    table = records.TableVersion("jobs", "file:///jobs", 1, 3, "a")
    sound = records.Ingested(window, (), (table,), (), replaced={"jobs": 1}).to_json()
    assert records.Ingested.from_json(sound).tables == (table,)
    inner: typing.Any = sound
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(DataContractError) as refused:
        records.Ingested.from_json(sound)
    assert says in str(refused.value)


def test_numbers_that_json_writes_in_another_way_are_the_same() -> None:
    table = {"table": "jobs", "uri": "", "version": 1.0, "rows": 3, "digest": ""}
    assert records.TableVersion.from_json(table).version == 1
    assert records.Check.from_json({**CHECK, "observed": 1}).observed == 1


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_window_without_timezone_is_refused(name: str) -> None:
    bounds = {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2020, 2, 1, tzinfo=UTC)}
    bounds[name] = bounds[name].replace(tzinfo=None)
    with pytest.raises(DataContractError, match=f"window {name} .* has no timezone"):
        Window(**bounds)


@given(start=INSTANTS, length=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_an_empty_or_reversed_window_is_refused(start: datetime, length: timedelta) -> None:
    with pytest.raises(DataContractError, match="empty or reversed"):
        Window(start, start - length)


def test_a_window_is_kept_in_utc() -> None:
    zone = timezone(timedelta(hours=5))
    window = Window(datetime(2020, 1, 1, 5, tzinfo=zone), datetime(2020, 1, 2, tzinfo=UTC))
    assert window == Window.parse("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")
    assert str(window) == "[2020-01-01T00:00Z, 2020-01-02T00:00Z)"


@given(instant=ZONED)
def test_an_instant_with_offset_is_read_as_the_same_instant_in_utc(instant: datetime) -> None:
    read = parse_instant(instant.isoformat())
    assert read == instant
    assert read.utcoffset() == timedelta(0)


@given(instant=ZONED)
def test_an_instant_without_offset_is_refused(instant: datetime) -> None:
    with pytest.raises(DataContractError, match="no UTC offset"):
        parse_instant(instant.replace(tzinfo=None).isoformat())


@pytest.mark.parametrize("text", ["", "now", "2013-13-01T00:00:00Z", "1360000000", None])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(DataContractError, match="ISO 8601"):
        parse_instant(text)


def test_a_given_instant_is_preferred_to_the_default() -> None:
    default = datetime(2020, 1, 1, tzinfo=UTC)
    assert instant_or_default("2020-05-01T00:00:00Z", default) == datetime(2020, 5, 1, tzinfo=UTC)
    assert instant_or_default("", default) == default


def test_no_instant_and_no_default_is_refused() -> None:
    with pytest.raises(DataContractError, match="--start and --end"):
        instant_or_default("", None)


def test_of_several_verdicts_each_table_has_its_newest_version() -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    windows = [Window(begin + timedelta(hours=n), begin + timedelta(hours=n + 1)) for n in range(3)]
    tables = [{"jobs": 3, "heat": 1}, {"jobs": 4}, {"jobs": 4, "heat": 2}]
    versions = [tuple(records.TableVersion(name, "", n, 1, "") for name, n in each.items()) for each in tables]
    verdicts = [records.Validated(*item, "uri") for item in zip(windows, ["raw"] * 3, [()] * 3, versions, strict=True)]
    together = records.Validated.of_all(verdicts)
    assert together.window == Window(windows[0].start, windows[-1].end)
    assert {table.table: table.version for table in together.tables} == {"jobs": 4, "heat": 2}
    assert set(records.Validated.of_all(verdicts[:1]).tables) == set(versions[0])
