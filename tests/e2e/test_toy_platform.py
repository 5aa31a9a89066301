"""The toy pipeline on a real platform: bursts lose nothing, one reason trains once, gates refuse for the right reason.

The tests build on each other in file order: data, then a champion, then what must not replace it.
"""

from datetime import datetime

import pytest
from tests.support import toy
from tests.support.waiting import until

from airloop.config import calendar_windows
from airloop.errors import AirloopError
from airloop.records import Decision, Ingested, Scored, Window
from airloop.stores import lake, ledger, state
from airloop.stores.mlflow.registry import aliases

pytestmark = pytest.mark.e2e

BURST_DAYS = 9
TRAINED_DAY = 36


def window_conf(first: int, end: int) -> dict[str, object]:
    window = toy.days(first, end)
    return {"start": toy.text(window.start), "end": toy.text(window.end)}


def training_conf(day: int, **more: object) -> dict[str, object]:
    return {"cutoff": toy.text(toy.days(0, day).end), **more}


def decisions(settings) -> list[Decision]:
    return [Decision.from_json(row) for row in state.latest_records(settings, "toy", "decide")]


def test_a_burst_of_files_loses_nothing(platform):
    toy.land(platform.settings, days=range(BURST_DAYS))
    landed = list((platform.settings.home / "landing" / "toy").rglob("*.csv"))
    assert len(landed) > 25

    def online() -> set[datetime]:
        """The days whose features are online, by their starts; days that wait together are one run."""
        spans = [
            Window.from_json(row["window"]) for row in state.latest_records(platform.settings, "toy", "materialize")
        ]
        return {day.start for span in spans for day in calendar_windows("daily", span)}

    assert until(lambda: {toy.days(day, day + 1).start for day in range(BURST_DAYS)} <= online(), seconds=900, every=1)
    assert len(platform.client.recent("toy__data")) < BURST_DAYS
    days = [Window.from_json(row["window"]) for row in state.latest_records(platform.settings, "toy", "validate_raw")]
    assert {toy.days(day, day + 1) for day in range(BURST_DAYS)} <= set(days)
    ingested = [Ingested.from_json(row) for row in state.latest_records(platform.settings, "toy", "ingest")]
    assert {file.uri.rsplit("/landing/", 1)[1] for record in ingested for file in record.files} == {
        path.as_posix().rsplit("/landing/", 1)[1] for path in landed
    }


def test_a_bad_param_is_refused_with_its_reason(platform):
    with pytest.raises(AirloopError, match="start"):
        platform.run("data", {"start": "yesterday", "end": "2020-01-02T00:00:00Z"})
    with pytest.raises(AirloopError, match=r"unknown Param 'strat'; did you mean 'start'"):
        platform.run("data", {**window_conf(0, 1), "strat": "x"})
    with pytest.raises(AirloopError, match="empty or reversed"):
        platform.run("data", {"start": "2020-01-03T00:00:00Z", "end": "2020-01-02T00:00:00Z"})
    with pytest.raises(AirloopError, match="outside the coverage"):
        platform.run("data", {"start": "2021-01-02T00:00:00Z", "end": "2021-01-03T00:00:00Z"})
    with pytest.raises(AirloopError, match="no window"):
        platform.run("data", {})


def test_bad_data_fails_the_run_without_retry_and_publishes_nothing(platform):
    client = platform.client
    client.pause("toy__inbox", paused=True)
    toy.land(platform.settings, days=range(BURST_DAYS, TRAINED_DAY + 10))
    broken = platform.settings.home / "landing" / "toy" / "jobs" / f"{toy.days(50, 51).start:%Y-%m-%d}.csv"
    broken.write_text("job,machine,planned_at,starts_at,size\nj,m0,2020-02-20T00:00:00Z,2020-02-20T02:00:00Z,-5\n")
    heat = platform.settings.home / "landing" / "toy" / "heat" / broken.name
    heat.write_text("machine,measured_at,celsius\nm0,2020-02-20T00:00:00Z,50\n")
    with pytest.raises(AirloopError, match="contract"):
        platform.run("data", window_conf(50, 51))
    run = next(run for run in client.recent("toy__data") if run.state == "failed")
    tries = {task["task_id"]: (task["state"], task["try_number"]) for task in client.tasks(run)}
    assert tries["validate_raw"] == ("failed", 1)
    assert tries["build_features"][0] == "upstream_failed"
    clean = lake.table_uri(platform.settings, "toy", "clean", "jobs")
    assert lake.read(clean, platform.settings, where=lake.between("planned_at", toy.days(50, 51))).num_rows == 0
    broken.unlink()
    heat.unlink()


def test_two_simultaneous_triggers_give_one_training_and_a_first_champion(platform):
    platform.run("data", window_conf(BURST_DAYS, TRAINED_DAY))
    client, conf = platform.client, training_conf(TRAINED_DAY, reason="hand", reason_key="first")
    runs = [client.start("toy__training", conf, run_id=f"twin-{number}") for number in range(2)]
    ended = [client.wait(run, seconds=900, on_tasks=lambda _tasks: None) for run in runs]
    trained = [run for run in ended if platform.states(run)["train"] == "success"]
    skipped = [run for run in ended if platform.states(run)["train"] == "skipped"]
    assert (len(trained), len(skipped)) == (1, 1)
    assert len(decisions(platform.settings)) == 1
    assert decisions(platform.settings)[0].passed
    assert until(lambda: aliases(platform.settings, "toy").get("champion") == 1, seconds=600, every=1)


def test_scoring_happens_while_outcomes_have_not_landed_and_twice_adds_nothing(platform):
    outcomes = sorted((platform.settings.home / "landing" / "toy" / "failures").glob("*.csv"))
    for path in outcomes[TRAINED_DAY:]:
        path.unlink()
    conf = window_conf(TRAINED_DAY, TRAINED_DAY + 3)
    platform.run("data", conf)
    platform.run("scoring", conf)
    platform.run("scoring", conf)
    clean = lake.table_uri(platform.settings, "toy", "clean", "failures")
    window = toy.days(TRAINED_DAY, TRAINED_DAY + 3)
    assert lake.read(clean, platform.settings, where=lake.between("ended_at", window)).num_rows == 0
    scored = [Scored.from_json(row) for row in state.latest_records(platform.settings, "toy", "score", window=window)]
    predictions = lake.read(lake.table_uri(platform.settings, "toy", "predictions", "predictions"), platform.settings)
    assert scored[-1].rows == predictions.num_rows == 3 * toy.ROWS_A_DAY


def test_an_equal_model_is_refused_for_want_of_a_gain(platform):
    platform.run("training", training_conf(TRAINED_DAY, reason_key="again"))
    decision = decisions(platform.settings)[-1]
    assert (decision.outcome, decision.champion_version) == ("refused", 1)
    assert "gain" in decision.why


def test_a_stale_model_passes_its_own_gate_and_is_refused_at_promotion(platform):
    platform.run("training", training_conf(TRAINED_DAY - 2, reason_key="stale"))
    decision = decisions(platform.settings)[-1]
    assert (decision.outcome, decision.champion_version) == ("passed", None)
    run = platform.client.run("toy__promotion", f"decision__{decision.sequence}")
    with pytest.raises(AirloopError, match="champion"):
        platform.client.wait(run, seconds=900, on_tasks=lambda _tasks: None)
    assert aliases(platform.settings, "toy")["champion"] == 1


def test_a_model_of_shuffled_labels_is_refused_by_the_floor(platform):
    toy.land(platform.settings, days=range(toy.DAYS), shuffled=True)
    platform.run("data", window_conf(0, toy.DAYS))
    platform.run("training", training_conf(toy.DAYS - 1, reason_key="shuffled"))
    decision = decisions(platform.settings)[-1]
    assert decision.outcome == "refused"
    assert "ROC-AUC" in decision.why
    assert aliases(platform.settings, "toy")["champion"] == 1
    assert ledger.verify(platform.settings, "toy") == []


def test_no_scheduled_run_happens_for_today(platform):
    for group in ("data", "scoring", "monitoring"):
        assert [
            run.run_id for run in platform.client.recent(f"toy__{group}") if run.run_id.startswith("scheduled")
        ] == []
