"""Rows that hold every feature are read into its types, answered and logged as others are; other bodies are not."""

import json
from typing import Any

import pytest
from tests.support.served_toy import EXPLICIT, ask

from airloop.features.online_views import ServedFeature
from airloop.serving.inputs import Inputs, inputs_of
from airloop.serving.prediction_log import read_segment, segments
from airloop.serving.whole_rows import WholeRows

ROW = {"machine_code": "m1", "job_size": 40, "class": None}
ROWS = [{"features": ROW}, {"features": {"class": 2.5, "job_size": -0.0, "machine_code": None}}]


def inputs(**kinds: str) -> Inputs:
    features = [
        ServedFeature(name, "view", kind, (name,) if kind != "array" else (f"{name}_0",))
        for name, kind in kinds.items()
    ]
    return inputs_of(features, [column for feature in features for column in feature.columns])


@pytest.fixture(scope="module")
def reader() -> WholeRows:
    return WholeRows(inputs(machine_code="text", job_size="number", **{"class": "number"}))


def body(**changes: Any) -> bytes:
    return json.dumps({"rows": ROWS, **changes}).encode()


def with_first(**changes: Any) -> bytes:
    first = {name: value for name, value in {**ROW, **changes}.items() if value != "left out"}
    return body(rows=[{"features": first}, ROWS[1]])


@pytest.mark.parametrize("as_of", [None, "2013-01-01T00:00:00Z"])
def test_rows_are_read_in_the_features_order_and_whole_numbers_are_numbers(
    reader: WholeRows, as_of: str | None
) -> None:
    whole = reader.read(body(as_of=as_of) if as_of else body())
    assert whole is not None
    assert (whole.rows.values, whole.as_of) == ([("m1", 40.0, None), (None, -0.0, 2.5)], as_of)
    assert type(whole.rows.values[0][1]) is float
    assert [*whole.rows] == [ROW, {"machine_code": None, "job_size": -0.0, "class": 2.5}]
    assert (whole.rows[1], [*whole.rows[1:]]) == ([*whole.rows][1], [*whole.rows][1:])


TWICE = b'{"rows":[{"features":{"machine_code":"m1","job_size":1,"job_size":2,"class":1}}]%s}'
ELSEWHERE = {
    "a feature is missing": with_first(job_size="left out"),
    "one is unknown": with_first(jobsize=1),
    "a text for a number": with_first(job_size="40"),
    "a flag for a number": with_first(job_size=True),
    "a number for a text": with_first(machine_code=7),
    "a number that is too large": body().replace(b"40", b"1e999"),
    "a text with a colon": with_first(machine_code="m:1"),
    "a text of other letters": with_first(machine_code="mé"),
    "a text with a control character": with_first(machine_code="m\u0000"),
    "keys are sent": body(rows=[{**ROWS[0], "entity": {"job": "j1"}}]),
    "an instant of its own": body(rows=[{**ROWS[0], "as_of": "2013-01-01T00:00:00Z"}]),
    "one row by itself": json.dumps(ROWS[0]).encode(),
    "a name twice": TWICE % b"",
    "a name twice, hidden by an escaped colon": TWICE % b',"as_of":"2013-01-01T00:00\\u003a00Z"',
    "no JSON": body()[:-1],
    "no text": body().replace(b"m1", b"\xff"),
}


@pytest.mark.parametrize("content", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_not_surely_whole_is_read_as_any_other_request(reader: WholeRows, content: bytes) -> None:
    assert reader.read(body()) is not None
    assert reader.read(content) is None


@pytest.mark.parametrize("kinds", [{"size": "number", "up": "flag"}, {"size": "number", "image": "array"}])
def test_features_of_other_kinds_are_read_as_any_other_request(kinds: dict[str, str]) -> None:
    rows = [{"features": dict.fromkeys(kinds)}] * 2
    assert WholeRows(inputs(**kinds)).read(json.dumps({"rows": rows}).encode()) is None


def test_whole_rows_are_answered_and_logged_as_any_other_rows(
    client: Any, served_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = ({}, {"job_size": 7}, {"celsius": None}, {"machine_code": None}, {"machine_code": "unseen"})
    rows = [{"features": {**EXPLICIT, **change}} for change in changes]
    sent, read = {"rows": rows, "as_of": "2020-02-01T00:00:00Z"}, list[bool]()

    def answered() -> tuple[Any, list[Any]]:
        answer = ask(client, sent).json()
        ids = [row.pop("prediction_id") for row in answer["predictions"]]
        records = {record.id: record for path in segments(served_home, "toy") for record in read_segment(path)}
        own = ("id", "at", "latency_ms")
        fields = [name for name in records[ids[0]].__struct_fields__ if name not in own]
        return answer, [[getattr(records[identity], name) for name in fields] for identity in ids]

    real = WholeRows.read
    monkeypatch.setattr(
        WholeRows, "read", lambda self, body: read.append(real(self, body) is not None) or real(self, body)
    )
    whole = answered()
    monkeypatch.setattr(WholeRows, "read", lambda _self, _body: None)
    assert whole == answered()
    assert read == [True]
