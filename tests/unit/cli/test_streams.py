"""`airloop streams`: what waits, what could not be read, repaired and sent again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import redis_server, toy_stream

from airloop import cli
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    options = "{entity: [machine], late: is_late}"
    with redis_server.running(tmp_path / "redis") as server:
        found = toy_stream.write_project(tmp_path / "project", REPOSITORY, server.url, options)
        monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(found.project_dir))
        monkeypatch.setenv("AIRLOOP_HOME", str(found.home))
        monkeypatch.setenv("AIRLOOP_CONNECTIONS", json.dumps(found.connections))
        yield found


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()  # what a consumer of the test has logged is not the command's
    with pytest.raises(SystemExit) as ended:
        cli.main(["streams", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def test_a_dead_letter_is_listed_repaired_sent_again_and_dropped(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, repaired = tmp_path / "events.jsonl", tmp_path / "repaired.jsonl"
    events.write_bytes(toy_stream.event("m1", 20.0) + b"\n\n" + toy_stream.event("m2", 30.0, celcius=1) + b"\n")
    assert ran(capsys, "send", "toy", "heat", str(events)) == (0, "2 events sent to toy.heat\n")
    assert json.loads(ran(capsys, "list", "--json")[1])[0] | {"stream": ""} == {
        "pipeline": "toy", "feed": "heat", "stream": "", "waiting": 2, "pending": 0, "dead": 0, "problem": ""
    }  # fmt: skip
    assert toy_stream.consume(settings).counts.dead == 1
    (letter,) = json.loads(ran(capsys, "dead", "toy", "heat", "--json")[1])
    assert "did you mean 'celsius'" in letter["reason"]
    assert "celcius" in ran(capsys, "dead", "toy", "heat")[1]
    assert "repair them, then airloop streams send" in ran(capsys, "dead", "toy", "heat", "--out", str(repaired))[1]
    code, says = ran(capsys, "dead", "toy", "heat", "--out", str(repaired))
    assert (code, "perhaps with repaired events" in says) == (1, True)
    repaired.write_text(json.dumps({k: v for k, v in json.loads(repaired.read_text()).items() if k != "celcius"}))
    ran(capsys, "send", "toy", "heat", str(repaired))
    code, says = ran(capsys, "drop", "toy", "heat", "--until", "yesterday")
    assert (code, "'yesterday' is not the id of a dead letter" in says) == (1, True)
    assert ran(capsys, "drop", "toy", "heat")[1] == "1 dead letters removed\n"
    assert toy_stream.consume(settings).counts.landed == 1
    assert json.loads(ran(capsys, "list", "toy", "--json")[1])[0]["dead"] == 0
    assert len(toy_stream.landed_lines(settings)) == 2


def test_an_event_that_is_no_text_is_sent_as_it_is_and_an_unknown_pipeline_is_refused(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"\xff\xfe\n" + toy_stream.event("m\u2028", 20.0) + b"\n")
    assert ran(capsys, "send", "toy", "heat", str(events)) == (0, "2 events sent to toy.heat\n")
    for command in ("list", "run"):
        code, says = ran(capsys, command, "tyo")
        assert (code, "did you mean 'toy'?" in says) == (1, True)


def test_a_broker_that_does_not_answer_is_a_line_of_the_list_and_not_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRLOOP_CONNECTIONS", '{"events": "redis://:secret-word@127.0.0.1:1/0"}')
    code, says = ran(capsys, "list", "--json")
    assert code == 0
    assert "Redis does not answer" in json.loads(says)[0]["problem"]
    assert "secret-word" not in says
    code, says = ran(capsys, "dead", "toy", "heats")
    assert (code, "did you mean 'heat'" in says) == (1, True)


def test_the_address_for_producers_holds_the_password_and_names_the_stream(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(capsys, "url", "toy", "heat")[1] == f"{settings.connections['events']} toy.heat\n"
