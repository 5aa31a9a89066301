"""The prediction log: no answer without its record, whatever happens to the process; each record once in the lake."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from msgspec import structs
from tests.support import command, served_toy, toy
from tests.support.run_plainly import run_plainly
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask, wait_for
from tests.support.waiting import bound

from airloop.deployment import Deployment
from airloop.errors import DataContractError, GuardRefused
from airloop.features import examples
from airloop.models import model_version
from airloop.records import Window
from airloop.serving import collect, replay_log, score
from airloop.serving.logged import Logged, LoggedRows, id_time, new_ids
from airloop.serving.prediction_log import PredictionLog, is_closed, read_segment, segments
from airloop.serving.refused import Refused
from airloop.stores import lake
from airloop_platform.supervisor.environment import settings_environment

DAY = toy.days(CUTOFF, CUTOFF + 1)


def entity(number=31, machine="m1"):
    return {"job": f"j{CUTOFF:03d}-{number:03d}", "machine": machine}


def logged(**changes):
    now = time.time()
    values = {
        "id": new_ids(now, 1)[0],
        "at": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "pipeline": "toy",
        "version": 1,
        "decision": 2,
        "as_of": NOON.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "features": dict(EXPLICIT),
        "prediction": 0.25,
        "latency_ms": 1.0,
        "caller": "open",
        "protocol": "/v1",
        "form": "trees",
        "entity": entity(),
    }
    return Logged(**{**values, **changes})


@pytest.fixture
def log(served):
    log = PredictionLog(served)
    yield log
    log.close()


def all_ids(settings):
    return [record.id for path in segments(settings, "toy") for record in read_segment(path)]


def test_a_killed_service_leaves_the_record_of_every_answer_it_gave(served):
    environment = {**os.environ, "AIRLOOP_HOME": str(served.home), "AIRLOOP_PROJECT_DIR": str(served.project_dir)}
    shared = ("mlflow_tracking_uri", "mlflow_artifact_uri", "feast_registry_url", "online_store")
    for name in shared:
        value = getattr(served, name)
        environment[f"AIRLOOP_{name.upper()}"] = json.dumps(value) if isinstance(value, dict) else str(value)
    command = [sys.executable, "-c", "from airloop_platform.cli import main; main()", "serve", "--no-keys"]
    command += ["--workers", "2"]
    answered, stop = [], threading.Event()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            url = process.stdout.readline().split()[2].rstrip(",")
            with httpx.Client(base_url=url, timeout=bound(30), trust_env=False) as client:
                # Each look takes a connection of its own, and so perhaps another worker.
                wait_for(lambda: all(_ready(url) for _ in range(20)), seconds=120)

                def load() -> None:
                    while not stop.is_set():
                        try:
                            answer = ask(client, {"rows": [{"features": EXPLICIT}] * 3})
                        except httpx.TransportError:
                            return
                        answered.extend(row["prediction_id"] for row in answer.json()["predictions"])

                threads = [threading.Thread(target=load) for _ in range(3)]
                for thread in threads:
                    thread.start()
                wait_for(lambda: len(answered) > 300)
                os.killpg(process.pid, signal.SIGKILL)
                stop.set()
                for thread in threads:
                    thread.join()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    ids = all_ids(served)
    assert set(answered) <= set(ids)
    assert len(set(ids)) == len(ids)
    wait_for(lambda: all(map(is_closed, segments(served, "toy"))))  # the kernel lets go of the locks of the dead
    found = collect.collect(toy.toy_pipeline(served), served)
    assert (found.records, found.online) == (len(ids), len(ids))


def _ready(url):
    try:
        return httpx.get(f"{url}/v2/models/toy/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def lines(settings):
    return [line for path in segments(settings, "toy") for line in path.read_bytes().splitlines(keepends=True)]


def test_rows_that_were_sent_whole_are_one_line_and_read_as_the_record_of_each(served):
    strange = {**EXPLICIT, "machine_code": 'mü "1"\n', "celsius": None}
    rows = [EXPLICIT, {**EXPLICIT, "job_size": 7}, strange]
    as_of = NOON.isoformat()
    with served_toy.running(served) as client:
        together = ask(client, {"rows": [{"features": row} for row in rows], "as_of": as_of}).json()
        assert len(lines(served)) == 1
        alone = [ask(client, {"features": row, "as_of": as_of}).json() for row in rows]
    read = {record.id: record for path in segments(served, "toy") for record in read_segment(path)}
    assert len(read) == 6
    for row, said, other in zip(rows, together["predictions"], alone, strict=True):
        one, again = read[said["prediction_id"]], read[other["predictions"][0]["prediction_id"]]
        own = {"id": "", "at": "", "latency_ms": 0.0, "prediction": 0.0, "explicit": sorted(again.explicit)}
        assert structs.replace(one, **own | {"explicit": sorted(one.explicit)}) == structs.replace(again, **own)
        assert one.features == row
        assert one.prediction == said["prediction"] == pytest.approx(again.prediction, abs=1e-12)
        neither = {"prediction_id": "", "prediction": 0.0}
        assert said | neither == other["predictions"][0] | neither
    assert {name: together[name] for name in ("model_version", "decision")} == {
        name: alone[0][name] for name in ("model_version", "decision")
    }


@pytest.mark.parametrize(
    "rows",
    [
        [{"features": EXPLICIT}, {"entity": entity(), "as_of": NOON.isoformat()}],
        [{"features": EXPLICIT, "as_of": NOON.isoformat()}, {"features": EXPLICIT}],
    ],
    ids=["by keys", "of two instants"],
)
def test_rows_that_share_less_are_a_line_each(served, rows):
    with served_toy.running(served) as client:
        answer = ask(client, {"rows": rows})
    assert answer.status_code == 200
    assert len(lines(served)) == 2
    assert all_ids(served) == [row["prediction_id"] for row in answer.json()["predictions"]]


@pytest.mark.parametrize(
    "spoil", [{"rows": [(1.0,)]}, {"rows": [("m1", 1.0)] * 2}, {"ids": ["no id"]}, {"at": "today"}]
)
def test_a_line_of_rows_that_was_spoiled_is_passed_over(log, served, spoil, caplog):
    now = time.time()
    fields = {
        name: getattr(logged(), name) for name in ("at", "pipeline", "version", "decision", "as_of", "latency_ms")
    }
    fields |= {"names": ("machine_code", "job_size"), "caller": "open", "protocol": "/v1", "form": "trees"}
    whole = LoggedRows(ids=new_ids(now, 1), rows=[("m1", 1.0)], predictions=[0.5], **fields)
    log.append("toy", whole)
    log.append("toy", structs.replace(whole, **spoil))
    log.append("toy", structs.replace(whole, ids=new_ids(now, 1)))
    assert len(all_ids(served)) == 2
    assert ":2: is not a record" in caplog.text


def test_a_stopped_service_answers_what_it_has_accepted(served):
    entered, answers = threading.Event(), []
    with served_toy.running(served) as client:
        slot = client.service.champions.slots["toy"]
        real = slot.served.form.predict

        def slow(rows):
            entered.set()
            time.sleep(0.5)
            return real(rows)

        object.__setattr__(slot.served.form, "predict", slow)
        object.__setattr__(slot.served.form, "name", "pipeline")  # in a thread, like all that is slow

        def asking() -> None:
            with httpx.Client(base_url=client.url, timeout=bound(30), trust_env=False) as other:
                answers.append(ask(other, {"features": EXPLICIT}))

        thread = threading.Thread(target=asking)
        thread.start()
        assert entered.wait(bound(10))
    thread.join()
    assert answers[0].status_code == 200
    assert answers[0].json()["predictions"][0]["prediction_id"] in all_ids(served)


def test_an_answer_whose_record_cannot_be_written_does_not_leave(served, monkeypatch):
    with served_toy.running(served) as client:
        assert ask(client, {"features": EXPLICIT}).status_code == 200
        before = all_ids(served)
        monkeypatch.setattr(client.service.log, "_segment", _full)
        answer = ask(client, {"features": EXPLICIT})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "log_not_writable")
        assert "predictions" not in answer.json()
        monkeypatch.undo()
        assert ask(client, {"features": EXPLICIT}).status_code == 200
    assert len(all_ids(served)) == len(before) + 1


def _full(_pipeline):
    raise OSError(28, "No space left on device")


def test_half_a_record_is_passed_over_and_nothing_follows_it(log, served, monkeypatch):
    log.append("toy", [logged()])
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: real(handle, content[: len(content) // 2]))
    with pytest.raises(Refused, match="bytes written"):
        log.append("toy", [logged()])
    monkeypatch.undo()
    log.append("toy", [logged()])
    assert len(segments(served, "toy")) == 2
    assert len(all_ids(served)) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line.replace(b'"caller":"open"', b'"caller":"\xff\xfe"'),
        lambda line: line.replace(b'"as_of":"20', b'"as_of":"2O'),
        lambda line: line.replace(b'"at":"20', b'"at":"\x0020'),
        lambda line: line.replace(b'"id":"', b'"id":"z'),
        lambda line: line[:40] + b"\n",
        lambda line: b"\0" * len(line) + b"\n",
        lambda line: b"[" * 50_000 + b"\n",
    ],
)
def test_a_record_that_was_spoiled_is_passed_over_and_those_around_it_are_collected(log, served, spoil, caplog):
    records = [logged() for _ in range(3)]
    log.append("toy", records)
    log.close()
    (path,) = segments(served, "toy")
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + spoil(second) + third)
    assert collect.collect(toy.toy_pipeline(served), served).online == 2
    assert f"{path.name}:2: is not a record" in caplog.text
    assert segments(served, "toy") == []


def test_a_segment_is_closed_when_it_is_full_or_its_writer_is_gone(served):
    log = PredictionLog(served, segment_bytes=1000)
    for _ in range(12):
        log.append("toy", [logged()])
    *full, last = segments(served, "toy")
    assert len(full) >= 2
    assert all(map(is_closed, full))
    assert not is_closed(last)
    log.close()
    assert is_closed(last)


def test_an_id_says_when_it_was_given_and_text_that_is_none_says_nothing():
    now = time.time()
    assert abs(id_time(new_ids(now, 1)[0]).timestamp() - now) < 0.002
    assert [id_time(text) for text in ("", "x" * 32, "f" * 32, "0" * 31)] == [None] * 4


def test_what_is_collected_is_in_the_lake_once_and_closed_segments_go(log, served):
    pipeline = toy.toy_pipeline(served)
    log.append("toy", [logged(), logged(entity={}, prediction=0.5)])
    first = collect.collect(pipeline, served)
    assert (first.segments, first.records, first.online) == (1, 2, 2)
    log.append("toy", [logged(entity=entity(32))])
    again = collect.collect(pipeline, served)
    assert (again.records, again.online) == (3, 1)  # the segment is still written, and read again
    log.close()
    assert collect.collect(pipeline, served).online == 0
    assert segments(served, "toy") == []
    rows = lake.read(collect.online_uri(pipeline, served), served).to_pylist()
    assert len({row["prediction_id"] for row in rows}) == len(rows) == 3
    by_job = {row["job"]: row for row in rows}
    assert by_job[None]["prediction"] == 0.5
    assert json.loads(by_job[entity(31)["job"]]["features"]) == EXPLICIT


def test_a_collection_that_is_killed_before_the_segment_goes_adds_nothing_the_next_time(log, served, monkeypatch):
    pipeline = toy.toy_pipeline(served)
    log.append("toy", [logged()])
    log.close()

    def killed(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr(collect, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        collect.collect(pipeline, served)
    monkeypatch.undo()
    assert collect.collect(pipeline, served).online == 0
    assert lake.read(collect.online_uri(pipeline, served), served).num_rows == 1


@pytest.mark.parametrize(
    ("changes", "scored"),
    [
        ({}, True),
        ({"flags": {"machine_heat": "absent"}}, True),
        ({"flags": {"machine_heat": "stale"}}, False),
        ({"explicit": ["celsius"]}, False),
        ({"entity": {}}, False),
        ({"as_of": "2019-01-01T00:00:00.000000Z"}, False),
        ({"as_of": "2026-01-01T00:00:00.000000Z"}, False),
    ],
)
def test_a_row_asked_by_its_keys_alone_is_a_scored_row(toy_settings, changes, scored):
    assert collect.scored_row(toy.toy_pipeline(toy_settings), logged(**changes)) is scored


def test_a_row_answered_online_is_not_scored_again_in_batch_and_the_values_agree(served):
    pipeline = toy.toy_pipeline(served)
    hour = Window(NOON, NOON.replace(minute=0) + timedelta(hours=1))
    frame = examples.feature_frame(pipeline, hour, served, with_labels=False)
    machines = dict(examples.examples(pipeline, hour, served).select(["job", "machine"]).to_pandas().values)
    with served_toy.running(served) as client:
        rows = [
            {"entity": {"job": job, "machine": machines[job]}, "as_of": decided.isoformat()}
            for job, decided in zip(frame["job"], frame["decision_time"], strict=True)
        ]
        assert ask(client, {"rows": rows}).status_code == 200
    found = collect.collect(pipeline, served)
    assert (found.online, found.scored) == (len(frame), len(frame))
    done = run_plainly(score.score, Deployment(pipeline, served), DAY)
    assert (done.rows, done.appended) == (toy.ROWS_A_DAY, toy.ROWS_A_DAY - len(frame))
    predictions = lake.read(score.predictions_uri(pipeline, served), served).to_pandas().set_index("job")["prediction"]
    model = model_version.load_version(pipeline, 1, served)
    assert predictions[frame["job"]].to_numpy() == pytest.approx(model.predict(pipeline, frame), abs=1e-12)


def test_a_logged_interval_is_asked_of_another_version_and_compared(served):
    pipeline, now = toy.toy_pipeline(served), datetime.now(UTC)
    with served_toy.running(served) as client:
        for size in range(0, 90, 10):
            assert ask(client, {"features": {**EXPLICIT, "job_size": size}}).status_code == 200
    collect.collect(pipeline, served)
    window = Window(now - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1))
    same = replay_log.replay_log(pipeline, window, 1, served)
    assert (same.rows, same.equal, same.answered_by) == (9, 9, {"1": 9})
    assert same.largest_difference <= 1e-12
    with PredictionLogOf(served) as log:
        log.append("toy", [logged(prediction=0.9)])
    window = Window(now, datetime.now(UTC) + timedelta(seconds=1))
    other = replay_log.replay_log(pipeline, window, 1, served)
    assert (other.rows, other.equal) == (10, 9)
    assert other.largest_difference > 0.01


class PredictionLogOf:
    def __init__(self, settings):
        self.log = PredictionLog(settings)

    def __enter__(self):
        return self.log

    def __exit__(self, *_):
        self.log.close()


def test_an_interval_without_answers_and_a_version_with_other_features_are_refused(served, log):
    pipeline, now = toy.toy_pipeline(served), datetime.now(UTC)
    window = Window(now, now + timedelta(hours=1))
    with pytest.raises(DataContractError, match="no answer is logged in"):
        replay_log.replay_log(pipeline, window, 1, served)
    log.append("toy", [logged(features={"job_size": 3.0})])
    with pytest.raises(GuardRefused, match=r"takes feature '.*', which version 1 did not log for its answer"):
        replay_log.replay_log(pipeline, window, 1, served)


def test_one_answer_among_others_that_lacks_a_feature_is_refused_by_its_id(served, log):
    pipeline, now = toy.toy_pipeline(served), datetime.now(UTC)
    other = logged(version=2, features={name: EXPLICIT[name] for name in EXPLICIT if name != "celsius"})
    log.append("toy", [logged(), other])
    window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
    with pytest.raises(GuardRefused, match=f"takes feature 'celsius', which version 2 did not log .* {other.id}"):
        replay_log.replay_log(pipeline, window, 1, served)


def test_answers_of_another_task_are_not_compared(served, log):
    now = datetime.now(UTC)
    window, other = Window(now - timedelta(hours=1), now + timedelta(hours=1)), logged(prediction=[0.2, 0.5, 0.3])
    log.append("toy", [logged(), other])
    with pytest.raises(
        GuardRefused, match=f"answers one number a row, and version 1 answered 3 numbers a row .{other.id}"
    ):
        replay_log.replay_log(toy.toy_pipeline(served), window, 1, served)


def test_the_command_asks_a_twin_of_the_version_that_answered_and_says_how_far_apart_they_are(
    served, log, monkeypatch, capsys
):
    with served_toy.running(served) as client:
        answers = [ask(client, {"features": {**EXPLICIT, "job_size": size}}).json() for size in (1.0, 50.0)]
    log.append("toy", [logged(prediction=answers[0]["predictions"][0]["prediction"] + 2, features=EXPLICIT)])
    for name, value in settings_environment(served).items():
        monkeypatch.setenv(name, value)
    airloop = command.in_checkout(served, monkeypatch, capsys)
    twin = served_toy.twin(served, "replayed")
    asked = ("replay-log", "toy", "--version", str(twin), "--start")
    found = json.loads(airloop(*asked, "2020-01-01T00:00:00Z", "--json").out)
    assert (found["rows"], found["equal"], found["answered_by"], found["version"]) == (3, 2, {"1": 3}, twin)
    assert 1 < found["largest_difference"] < 3
    assert "2 equal; replayed - logged" in airloop(*asked, "2020-01-01T00:00:00Z").out
    for start, says in (("yesterday", "'yesterday' is not an ISO 8601 instant"), ("2100-01-01", "empty or reversed")):
        refused = airloop(*asked, start)
        assert (refused.code, says in " ".join(refused.err.split())) == (1, True)
