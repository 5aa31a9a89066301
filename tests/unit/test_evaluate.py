"""evaluate: two models on the same rows neither has seen; what keeps them from being compared makes the gate refuse."""

import dataclasses
import json
import re
import shutil
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import toy
from matplotlib.figure import Figure
from sklearn import metrics as sklearn_metrics

from airloop import decide, evaluate, evaluation_plots, ledger, tracking, training_set
from airloop.errors import GuardRefused, UpstreamUnavailable
from airloop.records import Decision, Evaluated
from airloop.settings import Settings

OLD, NEW = 25, 60
CUTOFF = toy.days(0, NEW)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Machines bear 15 degrees more from day 25 on: version 1 is champion and was trained before, version 2 after."""
    settings = toy.write_project(tmp_path_factory.mktemp("turned") / "project", Settings().project_dir)
    toy.land(settings, days=range(OLD))
    toy.land(settings, days=range(OLD, NEW), shift=15.0)
    toy.run_data(settings, CUTOFF)
    assert toy.run_training(settings, OLD).passed
    put_in_force(settings, 1, OLD)
    toy.run_training(settings, NEW)
    return settings


@pytest.fixture(scope="module")
def upstream(turned: Settings) -> dict[str, Any]:
    return {"snapshot": toy.run("snapshot", turned, CUTOFF, reason="hand", reason_key=""), **trained(turned, NEW)}


@pytest.fixture
def settings(turned: Settings, tmp_path) -> Settings:
    """The same registry and lake with a ledger of its own."""
    shutil.copy(turned.home / "state.db", tmp_path / "state.db")
    return turned.model_copy(update={"state_url": f"sqlite:///{tmp_path}/state.db"})


def trained(settings: Settings, day: int) -> dict[str, Any]:
    return {"train": toy.run("train", settings, toy.days(0, day))}


def put_in_force(settings: Settings, version: int, day: int) -> None:
    payload = {"version": version, "decision_sequence": 0}
    ledger.append(settings, "toy", kind="done", effective_at=toy.days(0, day).end, payload=payload)


def judged(settings: Settings, upstream: dict[str, Any]) -> tuple[Evaluated, Decision]:
    pipeline = toy.toy_pipeline(settings)
    found = evaluate.evaluate(pipeline, CUTOFF, upstream, settings)
    return found, decide.judge(found, pipeline.gate)


def registered(settings: Settings, name: str, *, source: str = "", **changes: Any) -> int:
    """A version like the champion, but for its files or what its snapshot says."""
    client = tracking.client(settings)
    champion = client.get_model_version("toy", "1")
    tags = {key: value for key, value in champion.tags.items() if key != tracking.INPUT_KEY}
    frozen = dataclasses.replace(tracking.version_snapshot(toy.toy_pipeline(settings), 1, settings), **changes)
    tags["airloop.snapshot"] = json.dumps(frozen.to_json())
    return tracking.register(
        toy.toy_pipeline(settings),
        settings,
        model_uri=source or champion.source,
        run_id=champion.run_id,
        key=name,
        tags=tags,
    )


def test_metrics_equal_those_of_scikit_learn_on_the_holdout(turned, upstream):
    found, _ = judged(turned, upstream)
    rows = training_set.labelled_part(training_set.read_snapshot(upstream["snapshot"], turned), "holdout")
    assert found.holdout_rows == len(rows) == 15 * toy.ROWS_A_DAY
    for version, values in ((2, found.metrics), (1, found.champion_metrics)):
        loaded = tracking.load_version(toy.toy_pipeline(turned), version, turned)
        said = loaded.model.predict_proba(rows[list(loaded.features)])[:, 1]
        expected = {
            "roc_auc": sklearn_metrics.roc_auc_score(rows["label"], said),
            "brier": sklearn_metrics.brier_score_loss(rows["label"], said),
            "average_precision": sklearn_metrics.average_precision_score(rows["label"], said),
            "log_loss": sklearn_metrics.log_loss(rows["label"], said),
            "calibration_gap": said.mean() - rows["label"].mean(),
            "label_rate": rows["label"].mean(),
        }
        assert values == pytest.approx(expected, rel=1e-12)
    by_metric = {item.metric: item for item in found.evidence}
    assert by_metric["brier"].gain == pytest.approx(found.champion_metrics["brier"] - found.metrics["brier"])
    assert by_metric["roc_auc"].gain == pytest.approx(found.metrics["roc_auc"] - found.champion_metrics["roc_auc"])
    assert {(item.rows, item.blocks) for item in found.evidence} == {(len(rows), 15)}


def test_a_candidate_that_learned_the_new_world_passes(turned, upstream):
    found, decision = judged(turned, upstream)
    assert (found.version, found.champion_version, found.problems) == (2, 1, ())
    assert decision.passed
    assert decision.why.startswith("passed: gain in Brier 0.")


def test_a_stale_model_is_refused_for_its_score(settings, upstream):
    put_in_force(settings, 2, NEW)
    found, decision = judged(settings, {**upstream, **trained(settings, OLD)})
    assert (found.version, found.champion_version, found.problems) == (1, 2, ())
    assert not decision.passed
    assert "refused: gain in Brier -0." in decision.why


def test_an_equal_candidate_is_refused(settings, upstream):
    put_in_force(settings, registered(settings, "twin"), NEW)
    found, decision = judged(settings, {**upstream, **trained(settings, OLD)})
    assert {item.gain for item in found.evidence} == {0.0}
    assert "the candidate scores as the champion does" in decision.why


def test_shuffled_labels_are_refused_by_the_floors(toy_settings):
    toy.land(toy_settings, days=range(45), shuffled=True)
    toy.run_data(toy_settings, toy.days(0, 45))
    decision = toy.run_training(toy_settings, 45)
    assert decision.outcome == "refused"
    assert "refused: ROC-AUC 0." in decision.why
    assert "must be at least 0.7000" in decision.why


def test_judging_again_after_the_promotion_judges_the_same(settings, upstream):
    before, _ = judged(settings, upstream)
    put_in_force(settings, 2, NEW)
    assert ledger.champion_at(settings, "toy", CUTOFF.end) == 2
    after, decision = judged(settings, upstream)
    assert after == before
    assert after.champion_version == 1
    assert decision.passed
    pipeline = toy.toy_pipeline(settings)
    assert evaluate.inputs(pipeline, CUTOFF, upstream, settings) == {"champion": 1}
    first = evaluate.incumbent(pipeline, toy.days(0, OLD), settings, version=1)
    assert first is None


def test_a_champion_of_later_is_not_the_incumbent(settings, upstream):
    put_in_force(settings, registered(settings, "later"), NEW + 1)
    assert judged(settings, upstream)[0].champion_version == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": "empty"}, r"champion version \d+ does not load: "),
        ({"train": toy.days(0, 45)}, "overlapping holdout: champion version .* was trained on rows up to 2020-02-15"),
        ({"features": ("celsius", "colour")}, "needs feature 'colour', which the snapshot does not have"),
    ],
    ids=["does_not_load", "overlapping_holdout", "missing_feature"],
)
def test_a_champion_that_cannot_be_compared_makes_the_gate_refuse(settings, upstream, tmp_path, changes, says):
    name = next(iter(changes))
    if name == "source":
        changes = {"source": str(tmp_path)}
    put_in_force(settings, registered(settings, name, **changes), NEW)
    found, decision = judged(settings, upstream)
    (problem,) = found.problems
    assert re.search(says, problem)
    assert found.evidence == ()
    assert found.champion_metrics == {}
    assert decision.why.startswith(f"refused: {problem}")


def test_a_champion_is_not_called_broken_because_mlflow_does_not_answer(settings, upstream, monkeypatch):
    def load(pipeline, version, settings):
        if version == 1:
            raise UpstreamUnavailable("MLflow does not answer")
        return real(pipeline, version, settings)

    real = tracking.load_version
    monkeypatch.setattr(tracking, "load_version", load)
    with pytest.raises(UpstreamUnavailable):
        judged(settings, upstream)


def test_a_candidate_that_does_not_load_is_refused(settings, upstream, tmp_path):
    broken = dataclasses.replace(upstream["train"], version=registered(settings, "broken", source=str(tmp_path)))
    with pytest.raises(GuardRefused, match=r"toy version \d+ does not load"):
        judged(settings, {**upstream, "train": broken})


def test_changed_feature_definitions_make_the_gate_refuse(settings, upstream, tmp_path):
    edited = toy.edited(settings, tmp_path / "edited", "toy.py", "timedelta(hours=3)", "timedelta(hours=4)")
    found, decision = judged(edited, upstream)
    assert not decision.passed
    assert decision.why.startswith("refused: feature definitions changed since the snapshot: ")
    assert len(found.problems) == 1


def test_the_reason_probe_needs_the_triage_that_asked(settings, upstream):
    asked = {**upstream, "snapshot": dataclasses.replace(upstream["snapshot"], reason="probe", reason_key="March")}
    _, decision = judged(settings, asked)
    assert decision.why.startswith("refused: reason probe, but no triage in the ledger asked for 'March'")
    ledger.append(settings, "toy", kind="triage", effective_at=CUTOFF.end, payload={"reason_key": "March"})
    assert judged(settings, asked)[1].passed


def test_a_holdout_of_one_class_is_a_refusal_and_no_crash(settings, upstream, monkeypatch):
    def one_class(frame, part):
        rows = real(frame, part)
        return rows[rows["label"] == 0].reset_index(drop=True)

    real = evaluate.labelled_part
    monkeypatch.setattr(evaluate, "labelled_part", one_class)
    found, decision = judged(settings, upstream)
    assert found.metrics["roc_auc"] is None
    assert found.metrics["brier"] > 0
    assert "no evidence on roc_auc: " in found.problems[0]
    assert not decision.passed


def test_metrics_of_too_few_rows_are_missing():
    labels, said = pd.Series([0.0, 1.0] * 5), np.linspace(0.1, 0.9, 10)
    found = evaluate.metrics(labels, said)
    assert (found["roc_auc"], found["brier"]) == (None, None)
    assert found["label_rate"] == 0.5


def test_holdout_predictions_are_kept_with_the_version(turned, upstream):
    judged(turned, upstream)
    kept = tracking.load_version(toy.toy_pipeline(turned), 2, turned).holdout_predictions
    assert list(kept.columns) == ["job", "decision_time", "label", "probability"]
    rows = training_set.labelled_part(training_set.read_snapshot(upstream["snapshot"], turned), "holdout")
    assert kept["job"].tolist() == rows["job"].tolist()


def test_the_run_shows_evidence_and_all_four_pictures(turned, upstream, monkeypatch):
    shown = {}
    monkeypatch.setattr(mlflow, "log_figure", lambda figure, name: shown.update({name: figure}))
    judged(turned, upstream)
    run = tracking.client(turned).get_run(upstream["train"].run_id)
    assert {"holdout_brier", "champion_brier", "brier_gain", "brier_gain_lower", "brier_gain_upper"} <= {
        *run.data.metrics
    }
    assert [item["metric"] for item in json.loads(run.data.tags["airloop.evidence"])] == ["brier", "roc_auc"]
    assert {*shown} == {f"plots/{name}.png" for name in ("roc", "precision_recall", "calibration", "importances")}
    assert all(isinstance(figure, Figure) for figure in shown.values())
    bars = shown["plots/importances.png"].axes[0].get_yticklabels()
    assert {label.get_text() for label in bars} == {"machine_code", "job_size", "celsius"}


def test_pictures_of_one_class_leave_out_what_is_not_defined(turned, upstream, monkeypatch):
    shown = []
    monkeypatch.setattr(mlflow, "log_figure", lambda figure, name: shown.append(name))
    rows = training_set.labelled_part(training_set.read_snapshot(upstream["snapshot"], turned), "holdout")
    loaded = tracking.load_version(toy.toy_pipeline(turned), 2, turned)
    alone = rows[rows["label"] == 1]
    evaluation_plots.log_plots(loaded, alone, loaded.model.predict_proba(alone[list(loaded.features)])[:, 1])
    assert shown == ["plots/calibration.png", "plots/importances.png"]
