"""The judge of policies: data time is kept, stationary data gains nothing, a planted change is found and mended."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tests.support import toy

from airloop.authoring import backtest as backtests
from airloop.authoring.backtest import Backtest, find_policies, page
from airloop.authoring.backtest.past import Past, read_past
from airloop.authoring.backtest.policies import POLICIES
from airloop.authoring.backtest.work import Work
from airloop.config import Pipeline
from airloop.config.triggers import TriggerDeclaration
from airloop.config.unlabelled import Unlabelled
from airloop.errors import ConfigError, DataContractError
from airloop.features import examples
from airloop.models import fold_gains
from airloop.models.self_training import uses_unlabelled
from airloop.records import Window
from airloop.settings import Settings
from airloop.stores import alarms
from airloop_platform import cli

START, MONTHS, ROWS_A_DAY = datetime(2020, 1, 1, tzinfo=UTC), 7, 24
END = datetime(2020, 8, 1, tzinfo=UTC)
TURN = datetime(2020, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    root = Path(__file__).parents[3]
    settings = toy.write_project(tmp_path_factory.mktemp("backtest"), root)
    declared = toy.toy_pipeline(settings)
    training = declared.training.model_copy(
        update={"candidates": {"logistic_regression": declared.training.candidates["logistic_regression"]}}
    )
    coverage = declared.coverage.model_copy(update={"start": START, "end": END})
    return declared.model_copy(update={"coverage": coverage, "training": training})


def past(
    pipeline: Pipeline,
    *,
    turns: datetime | None = None,
    turns_back: datetime = END,
    unlike_after: datetime | None = None,
    season: float = 0.0,
) -> Past:
    """Hourly rows whose `size` says the label; from `turns` on `age` says it more than that, until `turns_back`.

    Args:
        season: How far `size` swings in a cycle of 120 days; what it says of the label stays the same.
        unlike_after: Outcomes known from then on are all 1.
    """
    hours = np.arange((END - START) / timedelta(hours=24 / ROWS_A_DAY))
    draw = np.random.default_rng(3)
    size, age, noise = (draw.normal(size=len(hours)) for _ in range(3))
    times = pd.Series(pd.to_datetime([START + timedelta(hours=float(hour)) for hour in hours]))
    weight = np.where((times >= turns) & (times < turns_back), 3, 0) if turns else 0
    size = size + season * np.sin(2 * np.pi * hours / (24 * 120))
    label = (2 * size + weight * age + noise > 0).astype("float64")
    key = [f"j{int(hour):05}" for hour in hours]
    rows = pd.DataFrame({"job": key, "decision_time": times, "size": size, "age": age})
    known_at = times + timedelta(hours=2)
    if unlike_after:
        label = np.where(known_at >= unlike_after, 1.0, label)
    outcomes = pd.DataFrame({"job": key, "label": label, "known_at": known_at})
    return Past(pipeline, Window(START, END), ("size", "age"), frozenset(), (), rows, outcomes)


def replayed(found: Past, *names: str) -> Backtest:
    return backtests.backtest(found, find_policies(names), every="monthly", on_progress=lambda _line: None)


@pytest.fixture(scope="module")
def turned(pipeline: Pipeline) -> Backtest:
    return replayed(past(pipeline, turns=TURN))


def of(found: Backtest, policy: str) -> backtests.Outcome:
    return next(outcome for outcome in found.outcomes if outcome.policy == policy)


def test_on_stationary_data_no_policy_gains_more_than_noise(pipeline: Pipeline) -> None:
    found = replayed(past(pipeline))
    gains = [outcome.gain.gain for outcome in found.outcomes if outcome.gain]
    assert len(gains) == len(POLICIES) - 1
    assert max(map(abs, gains)) < 0.002
    assert of(found, "declared").promotions <= 1
    assert len(of(found, "declared").trainings) <= 1


def test_a_season_makes_drift_ask_again_and_again_and_the_declared_loop_starts_no_storm(pipeline: Pipeline) -> None:
    found = replayed(past(pipeline, season=3.0))
    assert len(of(found, "drift").trainings) >= 2
    assert len(of(found, "declared").trainings) <= 1
    declared, always = of(found, "declared").gain, of(found, "always").gain
    assert declared is not None
    assert always is not None
    assert declared.gain > always.gain - 0.002


def test_a_planted_change_is_answered_within_two_windows_and_gains(turned: Backtest) -> None:
    declared = of(turned, "declared")
    mended = [item.cutoff for item in declared.trainings if item.outcome == "promoted" and item.cutoff > TURN]
    assert mended[0] <= datetime(2020, 6, 1, tzinfo=UTC)
    assert declared.gain is not None
    assert declared.gain.lower > 0
    always = of(turned, "always").gain
    assert always is not None
    assert declared.gain.gain > 0.5 * always.gain


def test_growth_asks_whenever_the_past_is_half_as_long_again(pipeline: Pipeline) -> None:
    declared = pipeline.monitoring.model_copy(
        update={"triggers": (TriggerDeclaration.model_validate({"kind": "growth", "factor": 1.5}),)}
    )
    found = replayed(past(pipeline.model_copy(update={"monitoring": declared})), "declared")
    asked = [training.cutoff for training in of(found, "declared").trainings]
    assert asked == [datetime(2020, month, 1, tzinfo=UTC) for month in (4, 6)]


def on_probation(pipeline: Pipeline) -> Pipeline:
    triggers = ({"kind": "probe"}, {"kind": "growth", "factor": 1.5})
    declared = tuple(TriggerDeclaration.model_validate(trigger) for trigger in triggers)
    return pipeline.model_copy(
        update={
            "monitoring": pipeline.monitoring.model_copy(update={"triggers": declared}),
            "gate": pipeline.gate.model_copy(update={"probation": "roll_back"}),
        }
    )


def test_probation_takes_back_what_surely_lost_after_its_promotion_and_no_training_storms(pipeline: Pipeline) -> None:
    """One month that is unlike all others: what learned from it passes the gate, and is worse in the month after."""
    may, june = (datetime(2020, month, 1, tzinfo=UTC) for month in (5, 6))
    world = {"turns": TURN, "turns_back": may}
    without, found = (replayed(past(each, **world), "declared") for each in (pipeline, on_probation(pipeline)))
    stays, declared = of(without, "declared"), of(found, "declared")
    (lost,) = [item for item in declared.trainings if item.taken_back_at]
    assert (lost.cutoff, lost.outcome, lost.taken_back_at, declared.rollbacks) == (may, "promoted", june, 1)
    assert lost.after is not None
    assert lost.after.upper < 0
    assert [item.after for item in stays.trainings if item.cutoff == may] == [lost.after]
    assert (stays.rollbacks, of(found, "never").rollbacks) == (0, 0)
    in_june = declared.windows[-2]
    assert (in_june.window.start, in_june.trained_at < may) == (june, True)
    assert june not in [item.cutoff for item in declared.trainings]
    assert len(declared.trainings) <= 3
    assert [outcome["rollbacks"] for outcome in found.to_json()["outcomes"]] == [0, 1]
    assert "taken back 2020-06-01" in page(found)


def test_probation_leaves_what_gained_in_force(pipeline: Pipeline, turned: Backtest) -> None:
    found = of(replayed(past(on_probation(pipeline), turns=TURN), "declared"), "declared")
    assert found.rollbacks == 0
    gained = [item.after for item in found.trainings if item.after]
    assert gained
    assert gained[-1].lower > 0


def test_never_trains_no_second_time_and_always_trains_after_each_window_but_the_last(turned: Backtest) -> None:
    assert of(turned, "never").trainings == ()
    assert [item.cutoff for item in of(turned, "always").trainings] == [window.end for window in turned.windows[:-1]]
    assert {item.outcome for item in of(turned, "always").trainings} == {"promoted"}


def test_every_policy_is_measured_on_the_same_rows(turned: Backtest) -> None:
    rows = {tuple(window.rows for window in outcome.windows) for outcome in turned.outcomes}
    assert len(rows) == 1
    assert sum(rows.pop()) == turned.rows


def test_what_becomes_known_later_changes_no_earlier_decision(pipeline: Pipeline) -> None:
    until = datetime(2020, 6, 1, tzinfo=UTC)
    honest = replayed(past(pipeline, turns=TURN), "declared", "calendar")
    other = replayed(past(pipeline, turns=TURN, unlike_after=until), "declared", "calendar")
    for policy in ("declared", "calendar"):
        before, after = (
            # What came of a promotion is known later.
            [dataclasses.replace(item, after=None) for item in of(found, policy).trainings if item.cutoff <= until]
            for found in (honest, other)
        )
        assert before
        assert before == after
        assert of(honest, policy).trainings != of(other, policy).trainings or policy == "declared"


def test_a_past_knows_at_each_instant_what_the_stages_knew(toy_built: Settings) -> None:
    declared, whole = toy.toy_pipeline(toy_built), toy.days(0, 45)
    found = read_past(declared, whole, toy_built)
    for window, as_of in ((toy.days(0, 20), 21), (toy.days(5, 30), 30), (toy.days(30, 45), 45)):
        instant = toy.days(0, as_of).end
        frozen = examples.feature_frame(declared, window, toy_built, as_of=instant)
        pd.testing.assert_frame_equal(found.known(window, as_of=instant), frozen, check_dtype=False)
        assert frozen["label"].notna().any()


def test_an_open_alarm_stops_no_backtest_and_is_said(toy_built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home of a backtest is its own: nobody could answer there."""
    declared, whole = toy.toy_pipeline(toy_built), toy.days(0, 45)
    held = SimpleNamespace(alarm=SimpleNamespace(holds_training=True), window=toy.days(3, 4), answer=None, open=True)
    left_out = SimpleNamespace(**{**vars(held), "answer": "excluded", "open": False})
    monkeypatch.setattr(alarms, "raised", lambda *_, **__: iter([held, held, left_out]))
    found = read_past(declared, whole, toy_built)
    assert (found.excluded, found.open_alarms) == ((toy.days(3, 4),), 2)
    lines: list[str] = []
    backtests.backtest(found, find_policies(("never",)), every="daily", on_progress=lines.append)
    assert lines[0] == "2 alarms of this past are open: trainings take their rows as if accepted"


def test_a_past_without_room_for_a_first_model_says_so(pipeline: Pipeline) -> None:
    found = past(pipeline)
    short = dataclasses.replace(found, span=Window(START, START + timedelta(days=40)))
    with pytest.raises(DataContractError, match="too few for a first training"):
        replayed(short)
    strict = pipeline.gate.model_copy(
        update={"floors": (pipeline.gate.floors[0].model_copy(update={"at_least": 1.0}),)}
    )
    with pytest.raises(DataContractError, match="no first model passed the gate"):
        replayed(dataclasses.replace(found, pipeline=pipeline.model_copy(update={"gate": strict})))


def ruled(found: Past, **rule: object) -> Past:
    declared = found.pipeline.model_dump(mode="json")
    gate = Pipeline.model_validate(declared | {"gate": declared["gate"] | {"rules": [rule]}}).gate
    return dataclasses.replace(found, pipeline=found.pipeline.model_copy(update={"gate": gate}))


def test_the_declared_rules_of_the_gate_judge_the_first_model_and_every_other(pipeline: Pipeline) -> None:
    with pytest.raises(DataContractError, match=r"no first model passed the gate: .*files of .* MB"):
        replayed(ruled(past(pipeline), kind="latency", megabytes=1e-6), "calendar")
    found = replayed(ruled(past(pipeline, turns=TURN), kind="latency", milliseconds=60_000), "calendar")
    assert "promoted" in {training.outcome for training in of(found, "calendar").trainings}
    strict = {"kind": "slices", "columns": ["no_such_column"]}
    with pytest.raises(DataContractError, match="no column 'no_such_column'"):
        replayed(ruled(past(pipeline), **strict), "calendar")


def of_anomalies(pipeline: Pipeline) -> Pipeline:
    declared = pipeline.model_dump(mode="json")
    forest = {"estimator": "sklearn.ensemble:IsolationForest", "encoder": "ordinal", "params": {"n_estimators": 30}}
    declared["prediction"] |= {"task": "anomaly", "alarm_share": 0.03}
    declared["training"] |= {"metric": "ranking_loss", "candidates": {"forest": forest}}
    declared["gate"]["floors"] = [{"metric": "ranking_loss", "at_most": 0.1}]
    declared["gate"]["rules"] = [{"kind": "alarm_budget", "at_most": 0.1}, {"kind": "stability", "at_least": 0.3}]
    declared["gate"]["compare"]["metric"] = declared["monitoring"]["policy"]["metric"] = "ranking_loss"
    return Pipeline.model_validate(declared)


def strange(pipeline: Pipeline, *, labelled_until: datetime = END) -> Past:
    """Every thirty-first row has a size unlike any other, and its label says so; some outcomes nobody ever tells."""
    found = past(of_anomalies(pipeline))
    marks = np.arange(len(found.rows)) % 31 == 0
    rows = found.rows.assign(size=np.where(marks, 15.0, found.rows["size"]))
    told = (np.arange(len(rows)) % 2 == 0) & (found.outcomes["known_at"] < labelled_until)
    return dataclasses.replace(found, rows=rows, outcomes=found.outcomes.assign(label=marks.astype(float))[told])


def test_a_search_for_anomalies_learns_from_all_rows_and_is_compared_by_the_labelled_ones(pipeline: Pipeline) -> None:
    told = strange(pipeline)
    found = replayed(told, "calendar")
    assert found.metric == "ranking_loss"
    assert found.rows < (found.windows[-1].end - found.windows[0].start) / timedelta(hours=2) + ROWS_A_DAY
    assert (of(found, "never").pooled["ranking_loss"] or (1.0,))[0] < 0.05
    assert {training.outcome for training in of(found, "calendar").trainings} == {"refused"}  # nothing is gained
    made, _ = Work(told, lambda _line: None).training(datetime(2020, 4, 1, tzinfo=UTC), None)
    assert len(made.reference) > 1.9 * len(
        told.for_training(made.train, as_of=made.cutoff, end=made.train.end).dropna()
    )


def test_anomalies_that_too_few_labels_tell_of_are_not_compared(pipeline: Pipeline) -> None:
    with pytest.raises(DataContractError, match=r"the rarer of 0 and 1 on 2 days \(5 are needed\): label some rows"):
        replayed(strange(pipeline, labelled_until=START + timedelta(days=3)), "calendar")


@pytest.mark.parametrize("gains", [True, False])
def test_rows_without_a_label_are_tried_and_learned_from_where_the_folds_gain(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, gains: bool
) -> None:
    training = pipeline.training.model_copy(update={"unlabelled": Unlabelled(by="self_training", sure=0.9)})
    found = past(pipeline.model_copy(update={"training": training}))
    found = dataclasses.replace(found, outcomes=found.outcomes.iloc[::3])
    monkeypatch.setattr(fold_gains, "surely_gains", lambda _without, _using: gains)
    work = Work(found, lambda _line: None)
    made, _ = work.training(datetime(2020, 4, 1, tzinfo=UTC), None)
    assert uses_unlabelled(made.params) is gains
    days = (made.train.end - made.train.start) / timedelta(days=1)
    assert len(made.reference) == pytest.approx(days * ROWS_A_DAY * (1 if gains else 1 / 3), abs=2)
    assert made.held_out["label"].notna().all()


def test_the_page_shows_every_policy_and_escapes_what_it_is_given(turned: Backtest) -> None:
    text = page(dataclasses.replace(turned, pipeline="<b>toy</b>"))
    assert all(f">{policy.name}<" in text or f" {policy.name}</span>" in text for policy in POLICIES)
    assert "<b>toy" not in text
    assert "<polyline" in text
    assert "http" not in text.replace("http-equiv", "")


def test_a_backtest_is_plain_json(turned: Backtest) -> None:
    read = json.loads(json.dumps(turned.to_json()))
    assert [outcome["policy"] for outcome in read["outcomes"]] == [policy.name for policy in POLICIES]
    assert read["windows"][0]["start"] == "2020-03-01T00:00:00+00:00"


def test_an_unknown_policy_is_refused_and_never_is_always_compared() -> None:
    with pytest.raises(ConfigError, match=r"no policy 'sometimes'.*never, always"):
        find_policies(("sometimes",))
    assert [policy.name for policy in find_policies(("drift",))] == ["never", "drift"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--every", "yearly"), "take daily, weekly or monthly"),
        (("--policies", "sometimes"), "no policy 'sometimes'"),
        (("--out", "/nowhere/page.html"), "there is no folder /nowhere"),
        (("--every", "monthly"), "a backtest needs a first training"),
    ],
)
def test_the_command_refuses_before_it_computes(
    toy_built: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_built.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_built.home))
    with pytest.raises(SystemExit) as left:
        cli.main(("backtest", "toy", *arguments))
    assert left.value.code == 1
    assert says in capsys.readouterr().err


def test_the_command_compares_on_what_the_installation_built(
    toy_built: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(toy_built.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(toy_built.home))
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as left:
        cli.main(("backtest", "toy", "--every", "daily", "--policies", "never", "--json", "--out", str(out)))
    assert left.value.code == 0
    read = json.loads(capsys.readouterr().out)
    assert [outcome["policy"] for outcome in read["outcomes"]] == ["never"]
    assert read["rows"] == 60 * 12
    assert read["outcomes"][0]["pooled"]["brier"][0] < 0.25
    assert "toy: backtest of policies" in out.read_text()
