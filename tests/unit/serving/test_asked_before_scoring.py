"""What a replay asks over the API before batch scoring: the same predictions, and errors counted for what they are."""

import json

import pytest
from tests.support import served_toy, toy
from tests.support.run_plainly import run_plainly
from tests.support.served_toy import CUTOFF

from airloop.deployment import Deployment
from airloop.serving import collect, score
from airloop.serving.prediction_log import read_segment, segments
from airloop.stores import api_keys, lake, ledger
from airloop_platform.replay import answers_compared
from airloop_platform.replay.questions import Questions, asked

DAY = toy.days(CUTOFF, CUTOFF + 1)
ROWS = 30


def ask(settings, url, rows=ROWS):
    questions = Questions(toy.toy_pipeline(settings), settings, url, rows)
    questions.ask(DAY, ledger.history(settings, "toy"), say=lambda _line: None)
    return asked(toy.toy_pipeline(settings), DAY, settings)


def test_the_api_and_the_batch_say_the_same_of_the_same_rows_and_monitoring_sees_the_batch_alone(served):
    pipeline = toy.toy_pipeline(served)
    with served_toy.running(served, open_to_all=False) as client:
        found = ask(served, client.url)
        again = ask(served, client.url)
    assert (found.version, found.requests, found.errors) == (1, ROWS, 0)
    assert 0 < found.p50_ms <= found.p99_ms
    assert again == found
    assert collect.collect(pipeline, served).scored == 0
    run_plainly(score.score, Deployment(pipeline, served), DAY)
    assert lake.read(score.predictions_uri(pipeline, served), served).num_rows > ROWS
    assert answers_compared.largest_difference(pipeline, found, served) <= 1e-12
    line = answers_compared.line(pipeline, [found], served)
    assert line.startswith("API: 30 requests before their rows were scored, 0 errors; at most ")
    assert api_keys.listed(served) == ()


def test_an_answer_that_is_not_the_batch_prediction_shows(served):
    pipeline = toy.toy_pipeline(served)
    with served_toy.running(served, open_to_all=False) as client:
        found = ask(served, client.url)
    (segment,) = segments(served, "toy")
    records = [json.loads(line) for line in segment.read_text().splitlines()]
    records[0]["prediction"] += 0.125
    segment.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    assert len(list(read_segment(segment))) == ROWS
    run_plainly(score.score, Deployment(pipeline, served), DAY)
    collect.collect(pipeline, served)
    assert answers_compared.largest_difference(pipeline, found, served) == pytest.approx(0.125)


def test_a_service_that_is_gone_counts_as_errors_and_the_replay_goes_on(served, monkeypatch):
    monkeypatch.setattr("airloop_platform.replay.questions._FOLLOWS_SECONDS", 0.2)
    found = ask(served, "http://127.0.0.1:9")
    assert (found.requests, found.errors) == (1, 1)
    assert answers_compared.line(toy.toy_pipeline(served), [found], served).endswith("1 errors; none was scored")


def test_nothing_is_asked_where_no_service_runs_or_nobody_wants_it(served):
    assert ask(served, "") is None
    assert ask(served, "http://127.0.0.1:9", rows=0) is None
