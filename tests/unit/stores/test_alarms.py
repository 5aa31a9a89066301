"""Alarms: an open one holds trainings and triage; mended files or a person's answer close it."""

import dataclasses

import pytest
import sqlalchemy as sa
from tests.support import toy
from tests.support.run_plainly import run_plainly

from airloop.deployment import Deployment
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.models import snapshot, training_rows
from airloop.records import Alarm, Ingested, Monitored, Window
from airloop.run import input_key, stage_run
from airloop.stores import alarms, ledger, state
from airloop.stores.alarms import alarm_id
from airloop.stores.state import stage_records
from airloop.watch import triage

SIZE = Alarm("unit_change", "jobs.size", "jobs.size looks like a unit change (x 60)", observed=60.0, expected=1.0)
WEEK, CUTOFF = toy.days(21, 28), 40
PIPELINE = "toy"


def raise_alarm(settings, window=WEEK, noticed=(SIZE,), *, key="raised"):
    """What a stage that noticed something leaves behind."""
    pipeline = toy.toy_pipeline(settings)
    record = Ingested(window, (), (), (), alarms=tuple(noticed))
    alarms.announce(pipeline, "ingest", window, record.alarms, settings)
    state.save_record(settings, PIPELINE, "ingest", input_key=key, window=window, record=record.to_json())
    return alarm_id(PIPELINE, window, SIZE)


def answer(settings, key, given, why="checked with operations"):
    return alarms.answer(settings, toy.toy_pipeline(settings), key, word=given, why=why, who="ada")


def excluded(settings, window=None):
    pipeline, span = toy.toy_pipeline(settings), window or toy.days(0, CUTOFF)
    return alarms.excluded_windows(pipeline, span, alarms.holding(pipeline, span, settings))


def test_an_open_alarm_holds_trainings_on_its_rows_and_names_both_ways_out(toy_settings):
    key = raise_alarm(toy_settings)
    with pytest.raises(
        GuardRefused, match=rf"1 open alarm holds trainings(.|\n)*{key}(.|\n)*mend the files(.|\n)*--as"
    ):
        excluded(toy_settings)
    assert excluded(toy_settings, toy.days(0, 21)) == ()
    assert excluded(toy_settings, toy.days(28, 40)) == ()


def test_several_open_alarms_are_counted(toy_settings):
    for key, day in (("one", 20), ("two", 22)):
        raise_alarm(toy_settings, toy.days(day, day + 2), key=key)
    with pytest.raises(GuardRefused, match="2 open alarms hold trainings on rows of"):
        excluded(toy_settings)


def test_records_without_alarms_are_not_opened(toy_settings, monkeypatch):
    raise_alarm(toy_settings, toy.days(20, 22), noticed=(), key="quiet")
    key = raise_alarm(toy_settings, toy.days(22, 24))
    opened = []
    decoded = stage_records._decoded
    monkeypatch.setattr(stage_records, "_decoded", lambda *given: opened.append(given) or decoded(*given))
    assert [item.id for item in alarms.raised(toy.toy_pipeline(toy_settings), toy_settings)] == [key]
    assert len(opened) == 1


def test_an_alarm_that_holds_no_training_holds_none(toy_settings):
    raise_alarm(toy_settings, noticed=[dataclasses.replace(SIZE, holds_training=False)])
    assert excluded(toy_settings) == ()


def test_a_window_that_is_built_again_without_the_alarm_closes_it(toy_settings):
    raise_alarm(toy_settings)
    raise_alarm(toy_settings, noticed=(), key="mended")
    assert excluded(toy_settings) == ()


def test_answers_close_an_alarm_and_the_newest_counts(toy_settings):
    key = raise_alarm(toy_settings)
    answer(toy_settings, key, "accepted")
    assert excluded(toy_settings) == ()
    answer(toy_settings, key, "excluded")
    assert excluded(toy_settings) == (WEEK,)
    raise_alarm(toy_settings, key="the same again")
    assert excluded(toy_settings) == (WEEK,)
    assert [item.answer for item in alarms.raised(toy.toy_pipeline(toy_settings), toy_settings)] == ["excluded"]


def test_alarms_and_answers_are_lines_of_the_ledger_once(toy_settings):
    key = raise_alarm(toy_settings)
    raise_alarm(toy_settings, key="again")
    first = answer(toy_settings, key, "accepted")
    assert answer(toy_settings, key, "accepted") == first
    kinds = [entry.kind for entry in ledger.entries(toy_settings, PIPELINE)]
    assert kinds == ["alarm", "answered"]
    assert first.payload["who"] == "ada"
    assert not ledger.verify(toy_settings, PIPELINE)


@pytest.mark.parametrize(
    ("key", "given", "why", "says"),
    [
        ("0123456789", "accepted", "x", r"toy has no alarm '0123456789'; see `airloop alarms list toy`"),
        (None, "accept", "x", r"'accept' is not an answer; did you mean 'accepted'\? \(answers: accepted, excluded\)"),
        (None, "accepted", " ", "a reason is required"),
    ],
)
def test_answers_that_say_nothing_are_refused(toy_settings, key, given, why, says):
    known = raise_alarm(toy_settings)
    with pytest.raises(ConfigError, match=says):
        answer(toy_settings, key or known, given, why)
    assert [entry.kind for entry in ledger.entries(toy_settings, PIPELINE)] == ["alarm"]


def test_a_kind_the_declaration_names_fails_the_window_until_it_is_accepted(toy_settings, tmp_path):
    old, new = "validation: {max_bad_share: 0.05}", "validation: {max_bad_share: 0.05, fail_on: [unit_change]}"
    settings = toy.edited(toy_settings, tmp_path / "strict", "pipeline.yaml", old, new)
    pipeline = toy.toy_pipeline(settings)
    with pytest.raises(DataContractError, match=r"looks like a unit change.*airloop alarms answer toy [0-9a-f]{10}"):
        alarms.announce(pipeline, "validate_raw", WEEK, (SIZE,), settings)
    key = alarm_id(PIPELINE, WEEK, SIZE)
    answer(settings, key, "excluded")
    with pytest.raises(DataContractError, match="fail_on"):
        alarms.announce(pipeline, "validate_raw", WEEK, (SIZE,), settings)
    answer(settings, key, "accepted")
    alarms.announce(pipeline, "validate_raw", WEEK, (SIZE,), settings)


def test_a_snapshot_is_refused_and_then_leaves_an_excluded_window_out(toy_built):
    pipeline, cutoff = toy.toy_pipeline(toy_built), toy.days(0, CUTOFF)
    whole = training_rows.training_rows(Deployment(pipeline, toy_built), cutoff.end)
    before = input_key.input_key(
        "snapshot",
        Deployment(pipeline, toy_built),
        cutoff,
        upstream={},
        options={},
        reads=snapshot.inputs(Deployment(pipeline, toy_built), cutoff),
    )
    window = toy.days(3, 5)
    raise_alarm(toy_built, window)
    with pytest.raises(GuardRefused, match="holds trainings"):
        toy.run("snapshot", toy_built, cutoff)
    answer(toy_built, alarm_id(PIPELINE, window, SIZE), "excluded")
    left = training_rows.training_rows(Deployment(pipeline, toy_built), cutoff.end)
    gone = whole.frame["decision_time"].between(window.start, window.end, inclusive="left")
    assert gone.sum() == 2 * toy.ROWS_A_DAY
    assert left.frame.equals(whole.frame[~gone].reset_index(drop=True))
    reads = snapshot.inputs(Deployment(pipeline, toy_built), cutoff)
    after = input_key.input_key(
        "snapshot", Deployment(pipeline, toy_built), cutoff, upstream={}, options={}, reads=reads
    )
    assert before != after


def monitored(window: Window) -> Monitored:
    values = {"model_name": PIPELINE, "version": 1, "labelled_rows": 0, "live": {}, "probe": (), "drifted_share": None}
    values |= {"drifted_features": (), "prediction_psi": None, "calibration_gap": None, "quality": {}, "origin": "live"}
    day = toy.days(0, 2).start - toy.days(1, 2).start
    rows = Window(window.start + day, window.end + day)
    return Monitored(window=window, rows_window=rows, report_uri="", metrics_uri="", **values)


def test_triage_is_held_by_an_open_alarm_about_the_data_it_judges(toy_settings):
    key = raise_alarm(toy_settings)
    pipeline = toy.toy_pipeline(toy_settings)

    def outcome(window):
        return run_plainly(triage.triage, Deployment(pipeline, toy_settings), window, monitored=monitored(window))

    held = outcome(toy.days(27, 29))
    assert (held.kind, held.reason_key) == ("held", "")
    assert f"held by alarm {key} (unit_change of jobs.size)" in held.why
    assert outcome(toy.days(35, 36)).kind == "not_enough_data"
    answer(toy_settings, key, "accepted")
    assert outcome(toy.days(27, 29)).kind == "not_enough_data"


def test_run_stage_announces_what_a_stage_noticed(toy_settings, monkeypatch, caplog):
    toy.land(toy_settings, days=range(2))
    pipeline, window = toy.toy_pipeline(toy_settings), toy.days(0, 1)
    record = Ingested(window, (), (), (), alarms=(SIZE,))
    monkeypatch.setattr("airloop.data.ingest.ingest", lambda *_arguments: record)
    stage_run.run_stage("ingest", Deployment(pipeline, toy_settings), window, upstream={})
    assert [item.alarm for item in alarms.raised(pipeline, toy_settings)] == [SIZE]
    assert "ALARM" in caplog.text
    assert [entry.kind for entry in ledger.entries(toy_settings, PIPELINE)] == ["alarm"]


def test_one_answer_is_enough_for_the_looks_that_share_their_rows_and_no_more(toy_settings):
    pipeline, looks = toy.toy_pipeline(toy_settings), [toy.days(day, day + 1) for day in (2, 3, 20, 30, 31)]
    noticed = Alarm("calibration", "prediction", "off by .1", holds_training=False)
    for look in looks:
        record = dataclasses.replace(monitored(look), alarms=(noticed,)).to_json()
        state.save_record(toy_settings, PIPELINE, "monitor", input_key=str(look), window=look, record=record)
        alarms.announce(pipeline, "monitor", look, (noticed,), toy_settings)
    answer(toy_settings, alarm_id(PIPELINE, looks[1], noticed), "accepted")

    def open_looks(**options):
        return [item.window for item in alarms.raised(pipeline, toy_settings, **options) if item.open]

    assert open_looks() == [looks[0], looks[4]]
    assert open_looks(span=toy.days(30, 32)) == [looks[4]]
    assert len(alarms.raised(pipeline, toy_settings, span=toy.days(30, 32))) == 2


def test_alarms_and_entries_of_an_instant_are_found_by_their_index(toy_settings):
    raise_alarm(toy_settings)
    pipeline, asked = toy.toy_pipeline(toy_settings), []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        alarms.raised(pipeline, toy_settings, span=WEEK, stages=alarms.ROW_STAGES)
        ledger.entries(toy_settings, PIPELINE, kind="triage", effective_at=WEEK.end, until=9)
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    plans = ""
    with state.reading(toy_settings) as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                plans += str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
    assert "USING INDEX stage_runs_alarms (pipeline=? AND stage=? AND window_end>?)" in plans
    assert "USING INDEX ledger_effective (pipeline=? AND kind=? AND effective_at=? AND sequence<?)" in plans
