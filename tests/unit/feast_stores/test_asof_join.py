import random
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from airloop.errors import DataContractError
from airloop.feast_stores.asof_join import INSTANT, History, as_of_lines, latest_lines

START = datetime(2013, 1, 1)


def hour(number):
    return None if number is None else START + timedelta(hours=number)


def newest(candidates):
    """The rule itself: moment, then created (null smallest), then line."""
    ranked = [(moment, created is not None, created or 0, line) for line, moment, created in candidates]
    return max(ranked)[-1] if ranked else None


def table(rows, names):
    keys, numbers, *stamps = zip(*rows, strict=True)
    arrays = [pa.array(keys), pa.array(numbers), *(pa.array([hour(stamp) for stamp in column]) for column in stamps)]
    return pa.table([arrays[0], arrays[1], *(array.cast(INSTANT) for array in arrays[2:])], names)


@pytest.fixture(params=range(8))
def drawn(request):
    """Crowded on purpose: few keys and few hours, so that every kind of tie occurs."""
    draw = random.Random(request.param)
    key = lambda: (draw.choice(["a", "b", None]), draw.choice([1, 2, None]))  # noqa: E731
    values = [(*key(), draw.randrange(12), draw.choice([None, *range(16)])) for _ in range(60)]
    entities = [(*key(), draw.choice([None, *range(-1, 16)])) for _ in range(80)]
    return values, entities


@pytest.mark.parametrize("ttl", [None, 0.5, 3])
@pytest.mark.parametrize("as_known", [False, True])
def test_each_row_finds_what_a_search_through_all_rows_finds(drawn, ttl, as_known):
    values, entities = drawn
    expected = [
        newest(
            (line, moment, created)
            for line, (k, n, moment, created) in enumerate(values)
            if None not in (key, number, instant)
            and (k, n) == (key, number)
            and moment <= instant
            and (ttl is None or moment >= instant - ttl)
            and (not as_known or (created is not None and created <= instant))
        )
        for key, number, instant in entities
    ]
    history = History("values", table(values, ["k", "n", "moment", "created"]), ["k", "n"], "moment", "created")
    look_back = None if ttl is None else timedelta(hours=ttl)
    found = as_of_lines(history, table(entities, ["key", "number", "instant"]), ttl=look_back, as_known=as_known)
    assert found.to_pylist() == expected


def test_the_latest_row_of_each_key_is_that_of_a_search_through_all_rows(drawn):
    values, _ = drawn
    by_key = {}
    for line, (key, number, moment, created) in enumerate(values):
        by_key.setdefault((key, number), []).append((line, moment, created))
    history = History("values", table(values, ["k", "n", "moment", "created"]), ["k", "n"], "moment", "created")
    assert latest_lines(history).to_pylist() == sorted(newest(rows) for rows in by_key.values())


def test_rows_without_a_key_column_are_one_key():
    rows = table([("a", 1, 3), ("b", 2, 5), ("c", 3, 4)], ["k", "n", "moment"])
    assert latest_lines(History("values", rows, [], "moment")).to_pylist() == [1]


def test_a_categorical_key_is_compared_by_its_text():
    rows = table([("a", 1, 3)], ["k", "n", "moment"])
    asked = table([("a", 1, 4)], ["k", "n", "instant"]).drop_columns("n")
    encoded = asked.set_column(0, "k", asked["k"].dictionary_encode())
    assert as_of_lines(History("values", rows, ["k"], "moment"), encoded).to_pylist() == [0]


@pytest.mark.parametrize(
    ("key", "comparable"), [(pa.array([1.0]), True), (pa.array([True]), False), (pa.array(["1"]), False)]
)
def test_keys_are_compared_within_numbers_and_within_text_only(key, comparable):
    history = History("values", table([("a", 1, 3)], ["k", "n", "moment"]), ["n"], "moment")
    asked = pa.table([key, pa.array([hour(4)])], ["n", "instant"])
    if comparable:
        assert as_of_lines(history, asked).to_pylist() == [0]
    else:
        with pytest.raises(
            DataContractError, match=r"join key n is (bool|string) in the entity rows and int64 in values"
        ):
            as_of_lines(history, asked)
