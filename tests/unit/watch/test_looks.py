"""Looks that overlap: a day after the other, each at four weeks, by probes that are refitted once a week."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import ledger_entries, toy
from tests.support.monitor_stand import VERSION, world

from airloop.errors import UpstreamUnavailable
from airloop.features import examples
from airloop.models import estimators
from airloop.records import Alarm, BuiltFeatures, Ingested, Monitored, TableVersion, Validated
from airloop.stores import alarms, state
from airloop.watch import holds, past
from airloop.watch.evidence import evidence_of
from airloop.watch.triage import Known, triage_window

LOOK = toy.days(50, 51)
PER_DAY = 48


@pytest.fixture
def fits(monkeypatch):
    """How many rows each fit had."""
    counted, fit = [], estimators.fitted_model

    def counting(*arguments, **options):
        counted.append(len(arguments[3]))
        return fit(*arguments, **options)

    monkeypatch.setattr(estimators, "fitted_model", counting)
    return counted


def kept(stand):
    return sorted(path.name for path in Path(stand.settings.lake_uri, "toy", "probes").glob("*.skops"))


def days_of(instants):
    return [(instant - toy.START) // timedelta(days=1) for instant in instants]


def test_a_daily_look_judges_four_weeks_by_the_probe_of_each_week(make) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    stand.asked.clear()
    found = stand.monitor(LOOK)
    assert found.window == LOOK
    assert found.evidence == toy.days(23, 51)
    assert found.rows_window == toy.days(22, 50)
    assert found.labelled_rows == 24 * PER_DAY
    assert {item.rows for item in found.probe} == {24 * PER_DAY}
    assert days_of(refit.cutoff for refit in found.refits) == [21, 28, 35, 42, 49]
    # Each learnt from what was mature at its cutoff, and is compared on later rows alone.
    learnt = [asked for asked in stand.asked if asked[0].start == toy.START]
    assert [(days_of([window.end])[0], days_of([known])[0]) for window, known in learnt] == [
        (20, 21), (27, 28), (34, 35), (41, 42), (48, 49),
    ]  # fmt: skip


def test_the_next_look_uses_the_same_refits_until_the_next_is_due(make, fits) -> None:
    stand = make()
    stand.score(toy.days(26, 60))
    first = stand.monitor(LOOK)
    count = len(fits)
    second = stand.monitor(toy.days(51, 52))
    assert len(fits) == count
    assert [refit.cutoff for refit in second.refits] == [refit.cutoff for refit in first.refits]
    assert stand.monitor(LOOK) == first
    later = stand.monitor(toy.days(56, 57))
    assert len(fits) == count + 1
    assert days_of(refit.cutoff for refit in later.refits) == [28, 35, 42, 49, 56]
    assert len(kept(stand)) == 5


def test_a_kept_refit_that_is_broken_or_gone_is_made_again(make, fits) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    found = stand.monitor(LOOK)
    count = len(fits)
    for number, refit in enumerate(found.refits):
        Path(refit.uri).unlink() if number else Path(refit.uri).write_bytes(b"half a file")
    assert stand.monitor(LOOK).probe == found.probe
    assert len(fits) == count + len(found.refits)


def test_rows_that_came_later_make_the_refit_again(make, fits) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    validated(stand, toy.days(0, 60))
    stand.monitor(LOOK)
    count, before = len(fits), kept(stand)
    validated(stand, toy.days(30, 31))
    stand.monitor(LOOK)
    assert len(fits) == count + 3
    assert len(set(kept(stand)) - set(before)) == 3
    assert len(kept(stand)) == len(before)


@pytest.mark.parametrize(("turned", "kind"), [(True, "retrain"), (False, "nothing")])
def test_daily_looks_see_a_world_that_turned_and_ask_for_nothing_in_one_that_has_not(make, turned, kind) -> None:
    stand = make(world(turned=turned))
    stand.score(toy.days(26, 50))
    record = stand.monitor(LOOK)
    action = triage_window(record, Known(), stand.pipeline.monitoring)
    assert action.kind == kind, action.why
    assert all(item.sure_lower < item.lower for item in record.probe)


def test_a_declared_evidence_is_longer_or_shorter(make) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    declared = stand.pipeline
    watch = declared.monitoring.model_copy(update={"over_days": 14})
    stand.pipeline = declared.model_copy(update={"monitoring": watch})
    found = stand.monitor(LOOK)
    assert found.evidence == toy.days(37, 51)
    assert found.probe[0].blocks == 14
    assert days_of(refit.cutoff for refit in found.refits) == [36, 39, 42, 45, 48]


def validated(stand, window):
    table = (TableVersion(table="job_static", uri="", version=window.start.toordinal(), rows=1, digest=""),)
    place = (stand.settings, "toy")
    built = BuiltFeatures(window=window, views=table).to_json()
    checked = Validated(window=window, layer="features", checks=(), tables=table, report_uri="").to_json()
    for name, record in (("build_features", built), ("validate_features", checked)):
        state.save_record(*place, name, input_key=f"{name}{window}", window=window, record=record)


def test_a_window_that_was_never_built_is_left_out_of_the_evidence(make) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    for window in (toy.days(0, 40), toy.days(42, 51)):
        validated(stand, window)
    found = stand.monitor(LOOK)
    assert found.labelled_rows == 22 * PER_DAY
    assert found.quality["rows"] == (50 - 22 - 2) * PER_DAY


def test_the_windows_a_look_is_about_have_to_be_built(toy_settings) -> None:
    pipeline = toy.toy_pipeline(toy_settings)
    with pytest.raises(UpstreamUnavailable, match="features are not built and validated from 2020-02-19"):
        examples.validated_frame(pipeline, toy.days(22, 50), toy_settings, as_of=LOOK.end, required=toy.days(49, 50))


def test_no_row_is_evidence_after_a_decision_has_judged_it(make) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    key = f"probe:{VERSION}:{toy.days(0, 33).to_json()['end']}"
    ledger_entries.decided(
        stand.settings, "toy", VERSION + 1, at=toy.days(0, 33).end, outcome="refused", reason="probe", reason_key=key
    )
    found = stand.monitor(LOOK)
    assert found.labelled_rows == 24 * PER_DAY
    assert found.probe[0].rows == (50 - 32) * PER_DAY


@pytest.mark.parametrize(
    ("reason_key", "at", "changes"),
    [
        pytest.param("hand:again", 33, {}, id="by hand"),
        pytest.param("probe:2:2020-02-03T00:00:00Z", 33, {}, id="about another champion"),
        pytest.param(f"probe:{VERSION}:2020-02-20T00:00:00Z", 51, {}, id="its own answer"),
        pytest.param(f"probe:{VERSION}:2020-02-03T00:00:00Z", 33, {"outside_model": True}, id="about an obstacle"),
    ],
)
def test_other_decisions_leave_the_evidence_as_it_is(make, reason_key, at, changes) -> None:
    stand = make()
    ledger_entries.decided(
        stand.settings, "toy", VERSION + 1, at=toy.days(0, at).end, reason_key=reason_key, outcome="refused", **changes
    )
    assert evidence_of(stand.pipeline, LOOK, VERSION, stand.settings).answered_at is None


def test_evidence_begins_when_the_champion_came_into_force(make) -> None:
    stand = make()
    ledger_entries.put_in_force(stand.settings, "toy", VERSION, toy.days(0, 44).end)
    assert evidence_of(stand.pipeline, LOOK, VERSION, stand.settings).window == toy.days(44, 51)
    assert evidence_of(stand.pipeline, toy.days(51, 60), VERSION, stand.settings).window == toy.days(51, 60)


def test_rows_that_a_person_excluded_are_left_out_and_no_longer_hold_triage(make) -> None:
    stand = make()
    stand.score(toy.days(26, 50))
    wrong, alarm = toy.days(40, 41), Alarm("unit_change", "heat.celsius", "Fahrenheit?")
    ingested = Ingested(window=wrong, files=(), tables=(), missing=(), alarms=(alarm,))
    state.save_record(stand.settings, "toy", "ingest", input_key="ingest", window=wrong, record=ingested.to_json())
    alarms.announce(stand.pipeline, "ingest", wrong, (alarm,), stand.settings)
    key = alarms.alarm_id("toy", wrong, alarm)
    assert stand.monitor(LOOK).labelled_rows == 24 * PER_DAY
    alarms.answer(stand.settings, stand.pipeline, key, word=alarms.EXCLUDED, why="the sensor was replaced", who="me")
    found = stand.monitor(LOOK)
    assert found.excluded == (wrong,)
    assert found.labelled_rows == 23 * PER_DAY
    as_before = replace(found, excluded=())
    assert holds.not_accepted(stand.pipeline, [found], stand.settings)[LOOK] == ()
    assert [item.id for item in holds.not_accepted(stand.pipeline, [as_before], stand.settings)[LOOK]] == [key]


def look(day: int, *, version: int = VERSION, origin: str = "live") -> Monitored:
    window = toy.days(day, day + 1)
    return Monitored(
        window=window,
        rows_window=toy.days(day - 28, day),
        model_name="toy",
        version=version,
        labelled_rows=1,
        live={},
        probe=(),
        drifted_share=None,
        drifted_features=(),
        prediction_psi=None,
        calibration_gap=None,
        quality={},
        origin=origin,
        report_uri="",
        metrics_uri="",
    )


def test_only_looks_that_share_no_row_are_the_past(make) -> None:
    stand = make()
    for day in range(60):
        for number, origin in enumerate(("live", "backfill")):
            record = look(day, origin=origin)
            state.save_record(
                stand.settings,
                "toy",
                "monitor",
                input_key=f"{day} {number}",
                window=record.window,
                record=record.to_json(),
            )
    found = past.apart(stand.pipeline, VERSION, stand.settings, until=look(59).evidence.start, number=3)
    assert [record.window for record in found] == [toy.days(31, 32), toy.days(3, 4)]
    assert {record.origin for record in found} == {"live"}
    assert past.apart(stand.pipeline, VERSION + 1, stand.settings, until=look(59).evidence.start, number=3) == []
