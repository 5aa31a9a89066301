"""The watch over a champion: planted faults alarm by their name, and windows of the same world do not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.support.watch_world import NOISE, RISK, Watched, blank, pipeline, watched

from airloop.records import Alarm, Monitored
from airloop.watch import figures, intake
from airloop.watch.past import ChampionPast, past_of

Fault = Callable[[pd.DataFrame], pd.DataFrame]


def _hidden(frame: pd.DataFrame, share: float, column: str) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].mask(np.random.default_rng(7).uniform(size=len(frame)) < share)})


def _celsius(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(temp=(frame["temp"] - 32) / 1.8)


FAULTS: dict[str, tuple[Fault, set[tuple[str, str]]]] = {
    "a feature in another unit": (_celsius, {("prediction_drift", "temp")}),
    "the strongest feature divided by 60": (lambda f: f.assign(delay=f["delay"] / 60), {("prediction_drift", "*")}),
    "labels' sign flipped": (lambda f: f.assign(label=1 - f["label"]), {("performance", "roc_auc")}),
    "labels shifted by one row": (lambda f: f.assign(label=f["label"].shift(1)), {("performance", "roc_auc")}),
    "labels in another unit": (
        lambda f: f.assign(label=f["label"].where(f["label"].isna(), 0.0)),
        {("label_rate", "1"), ("calibration", "prediction")},
    ),
    "half of the labels missing": (lambda f: _hidden(f, 0.5, "label"), {("labels_missing", "label")}),
    "only the clear positives missing": (
        lambda f: f.assign(label=f["label"].mask((f["label"] == 1) & (f[NOISE] < f[NOISE].quantile(0.25)))),
        {("labels_missing", "label")},
    ),
    "30 % of a feature missing": (lambda f: _hidden(f, 0.3, "temp"), {("missing_values", "temp")}),
    "a feature missing": (lambda f: _hidden(f, 1.1, "wind"), {("missing_values", "wind")}),
    "all categories new": (lambda f: f.assign(carrier=f["carrier"].str[0] + "0"), {("new_categories", "carrier")}),
    "a third of the categories new": (
        lambda f: f.assign(carrier=f["carrier"].where(np.arange(len(f)) % 3 > 0, "ZZ")),
        {("new_categories", "carrier")},
    ),
}


def kinds(record: Monitored) -> set[tuple[str, str]]:
    return {(alarm.kind, alarm.subject) for alarm in record.alarms}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_alarms_by_its_name(fault: str) -> None:
    plant, wanted = FAULTS[fault]
    world = watched()
    noticed = kinds(world.monitored(plant(world.window(0))))
    for kind, subject in wanted:
        assert any(kind == name and subject in ("*", about) for name, about in noticed), noticed


def test_windows_of_the_same_world_raise_no_alarm_in_twenty() -> None:
    world = watched()
    past: list[Monitored] = []
    for number in range(20):
        record = world.monitored(world.window(number, seed=number), number=number, past=past[:12])
        assert record.alarms == ()
        past.insert(0, record)


@pytest.mark.parametrize("rows_a_day", [3, 10, 30])
def test_small_windows_of_the_same_world_raise_none_either(rows_a_day: int) -> None:
    world = watched()
    records = [world.monitored(world.window(0, seed=seed, rows_a_day=rows_a_day)) for seed in range(6)]
    assert [alarm.kind for record in records for alarm in record.alarms] == []


@pytest.mark.parametrize("rows_a_day", [10, 30])
def test_turned_labels_alarm_with_few_rows_too(rows_a_day: int) -> None:
    world = watched()
    frame = world.window(0, rows_a_day=rows_a_day)
    assert ("performance", "roc_auc") in kinds(world.monitored(frame.assign(label=1 - frame["label"])))


def test_what_labels_or_inputs_do_holds_trainings_and_what_the_world_does_does_not() -> None:
    world, held = watched(), {}
    for name, (plant, _) in FAULTS.items():
        for alarm in world.monitored(plant(world.window(0))).alarms:
            held[name, alarm.kind] = alarm.holds_training
    assert held["labels' sign flipped", "performance"]
    assert held["half of the labels missing", "labels_missing"]
    assert held["a feature in another unit", "prediction_drift"]
    assert held["30 % of a feature missing", "missing_values"]
    assert not held["labels shifted by one row", "performance"]
    assert not held["labels in another unit", "calibration"]


def test_an_alarm_says_what_which_values_and_what_to_do() -> None:
    world = watched()
    frame = _hidden(world.window(0), 0.3, "temp")
    alarm = next(item for item in world.monitored(frame).alarms if item.kind == "missing_values")
    assert alarm.says.startswith("temp is missing in 30.")
    assert "in training in 0.0%" in alarm.says
    assert alarm.says.endswith("has its feed not delivered?")
    assert (round(alarm.observed or 0, 1), alarm.expected) == (0.3, 0.0)
    assert Alarm.from_json(alarm.to_json()) == alarm


def test_predictions_that_moved_with_the_outcomes_are_no_alarm() -> None:
    world = watched()
    calm = world.window(0)
    moved = calm.assign(delay=calm["delay"] + 12, temp=calm["temp"] + 20, wind=calm["wind"] + 12)
    followed = moved.assign(label=(calm[RISK] + 0.05 * 12 + 0.03 * 20 + 0.05 * 12 > calm[NOISE]).astype("float64"))
    noticed = world.monitored(moved).alarms
    assert [(item.subject, item.holds_training) for item in noticed if item.kind == "prediction_drift"] == [
        ("prediction", False)
    ]
    assert "prediction_drift" not in {kind for kind, _ in kinds(world.monitored(followed))}


def test_one_feature_that_moved_with_the_outcomes_as_far_as_the_predictions_was_right() -> None:
    world = watched()
    calm = world.window(0)
    warm = calm.assign(temp=calm["temp"] + 60)
    followed = warm.assign(label=(calm[RISK] + 0.03 * 60 > calm[NOISE]).astype("float64"))
    assert ("prediction_drift", "temp") in kinds(world.monitored(warm))
    assert "prediction_drift" not in {kind for kind, _ in kinds(world.monitored(followed))}


def test_a_feature_the_model_does_not_use_may_be_missing() -> None:
    world = watched()
    assert kinds(world.monitored(_hidden(world.window(0), 0.9, "engines"))) == set()


def live(**values: float) -> Monitored:
    found = replace(blank(0), labelled_rows=5000)
    return replace(found, live={"brier": None, "roc_auc": None, **values})


def past(world: Watched, *records: Monitored) -> ChampionPast:
    return past_of(world.champion, pipeline(), records)


FLOOR = {"roc_auc_lower": 0.60, "roc_auc_upper": 0.70}


@pytest.mark.parametrize(
    ("values", "rows", "alarms"),
    [
        ({"roc_auc": 0.649, **FLOOR}, 5000, ["roc_auc"]),
        ({"roc_auc": 0.65, **FLOOR}, 5000, []),
        ({"roc_auc": 0.649, **FLOOR}, 1999, []),
        ({"roc_auc": 0.55, "roc_auc_lower": 0.45, "roc_auc_upper": 0.64}, 1999, ["roc_auc"]),
        ({"roc_auc": 0.55}, 5000, []),
        ({"brier": 0.221, "brier_lower": 0.21, "brier_upper": 0.23}, 5000, ["brier"]),
        ({"brier": 0.219, "brier_lower": 0.21, "brier_upper": 0.23}, 5000, []),
        ({}, 5000, []),
    ],
)
def test_a_metric_beyond_a_floor_alarms_by_itself_with_enough_rows_and_else_by_its_good_end(values, rows, alarms):
    record = replace(live(**values), labelled_rows=rows)
    noticed = figures.performance(pipeline(), record, past(watched()))
    assert [alarm.subject for alarm in noticed] == alarms
    assert all("beyond the floor of the gate" in alarm.says for alarm in noticed)


def test_a_loss_far_above_all_the_champion_ever_had_alarms_before_the_floor_does() -> None:
    calm = [replace(live(brier=0.06, brier_lower=0.05, brier_upper=0.07), window=blank(2).window)]
    world = watched()
    quiet = replace(past(world, *calm), holdout=world.champion.holdout_predictions.iloc[:0])
    worse = live(brier=0.12, brier_lower=0.10, brier_upper=0.14)
    noticed = figures.performance(pipeline(), worse, quiet)
    assert [alarm.subject for alarm in noticed] == ["brier"]
    assert "the worst of its holdout and the 0 windows before was 0.0600" in noticed[0].says
    assert figures.performance(pipeline(), live(brier=0.09, brier_lower=0.08, brier_upper=0.10), quiet) == []


def test_label_rates_of_classes_alarm_beyond_the_odds_and_values_have_none() -> None:
    world = watched()
    before = past(world)
    judged = world.predicted(world.window(0)).dropna(subset=["label"])
    assert intake.label_rate(judged, world.reference.counts, before) == []
    rare = judged.assign(label=judged["label"].where(np.arange(len(judged)) % 8 == 0, 0.0))
    assert [alarm.kind for alarm in intake.label_rate(rare, world.reference.counts, before)] == ["label_rate"]
