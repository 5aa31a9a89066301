"""The digits on their real data: every stage, known outcomes, a gate that refuses. Temperatures: tests/e2e."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support import pipeline_runs, shipped_truth

from airloop.config import Pipeline, calendar_windows, load_pipeline
from airloop.config.attribute import resolve
from airloop.features import examples
from airloop.records import Action, Decision, Monitored, Scored, Window
from airloop.serving.score import predictions_uri
from airloop.settings import Settings, load_settings
from airloop.stores import lake, ledger

pytestmark = pytest.mark.integration

NAME = "digit_images"
# Live metrics on the month after the first training: {metric: (at least, at most)}, measured 0.16 and 0.957.
EXPECTED: Mapping[str, tuple[float, float]] = {"log_loss": (0.05, 0.4), "accuracy": (0.9, 0.999)}


@dataclass(frozen=True)
class Loop:
    """One turn: two windows to train on, the third scored before its outcomes and monitored after them.

    Attributes:
        untrained: A copy of the home as it was before the first training.
    """

    pipeline: Pipeline
    settings: Settings
    untrained: Path
    windows: tuple[Window, ...]
    decision: Decision
    scored: Scored
    scored_again: Scored
    known_when_scored: int
    monitored: Monitored
    action: Action


def land_and_build(pipeline: Pipeline, settings: Settings, window: Window, *, outcomes: bool) -> None:
    """What the upstream system has landed of a window, as the demo steps: its inputs first, its outcomes later."""
    upstream: Any = resolve(str(pipeline.replay))()
    root = f"{settings.landing_uri}/{pipeline.name}"
    inputs = [name for name, feed in pipeline.feeds.items() if not feed.outcome]
    upstream.land(root, until=window.end + timedelta(days=2), feeds=inputs)
    if outcomes:
        upstream.land(root, until=window.end, feeds=pipeline.outcome_feeds)
    pipeline_runs.run_data(pipeline.name, settings, window)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    root = tmp_path_factory.mktemp("shipped")
    settings = load_settings(home=root / "home")
    pipeline = load_pipeline(NAME, settings)
    covered = Window(pipeline.coverage.start, pipeline.coverage.end or pipeline.coverage.start)
    first, second, third = windows = calendar_windows(pipeline.calendar, covered)[:3]
    for window in (first, second):
        land_and_build(pipeline, settings, window, outcomes=True)
    shutil.copytree(settings.home, root / "untrained")
    decision = pipeline_runs.run_training(NAME, settings, second.end)
    pipeline_runs.run("promote", NAME, settings, Window(first.start, second.end))
    land_and_build(pipeline, settings, third, outcomes=False)
    scored = pipeline_runs.run("score", NAME, settings, third)
    known = labelled(pipeline, settings, third)
    land_and_build(pipeline, settings, third, outcomes=True)
    return Loop(
        pipeline=pipeline,
        settings=settings,
        untrained=root / "untrained",
        windows=windows,
        decision=decision,
        scored=scored,
        scored_again=pipeline_runs.run("score", NAME, settings, third),
        known_when_scored=known,
        monitored=pipeline_runs.run("monitor", NAME, settings, third),
        action=pipeline_runs.run("triage", NAME, settings, third),
    )


def labelled(pipeline: Pipeline, settings: Settings, window: Window) -> int:
    """How many examples of the window have an outcome that came after its first day."""
    found = examples.labels(pipeline, window, settings)
    late = examples.examples(pipeline, Window(window.start + timedelta(days=1), window.end), settings)
    return len(set(late[pipeline.prediction.entity_key].to_pylist()) & set(found.index))


def test_the_first_model_passes_its_floors_on_real_outcomes(loop: Loop) -> None:
    assert loop.decision.passed, loop.decision.why
    floors = [check for check in loop.decision.checks if check.rule.startswith("floor")]
    assert len(floors) == len(loop.pipeline.gate.floors)
    assert ledger.champion_at(loop.settings, loop.pipeline.name, loop.windows[2].start) == 1


def test_a_window_is_scored_whole_before_its_outcomes_are_known(loop: Loop) -> None:
    wanted = examples.examples(loop.pipeline, loop.windows[2], loop.settings).num_rows
    assert loop.known_when_scored == 0
    assert loop.scored.version == 1
    assert loop.scored.rows == loop.scored.appended == wanted > 400
    assert loop.scored_again == loop.scored


def test_predictions_are_those_of_the_task(loop: Loop) -> None:
    stored = lake.read(predictions_uri(loop.pipeline, loop.settings), loop.settings)["prediction"].to_pylist()
    assert {len(row) for row in stored} == {10}
    assert all(abs(sum(row) - 1) < 1e-6 for row in stored)


def test_monitoring_measures_it_on_the_outcomes_that_landed_since(loop: Loop) -> None:
    for metric, (least, most) in EXPECTED.items():
        assert least < loop.monitored.live[metric] < most
    assert loop.monitored.labelled_rows > 0.9 * loop.scored.rows
    assert loop.monitored.quality["duplicate_rows"] == 0
    assert loop.monitored.drifted_share is not None
    assert loop.action.kind in ("retrain", "nothing")
    assert loop.action.evidence[0].metric == loop.pipeline.monitoring.policy.metric


def test_what_monitoring_measures_is_what_the_source_says(loop: Loop) -> None:
    key = loop.pipeline.prediction.entity_key
    within = lake.between("decision_time", loop.monitored.rows_window)
    stored = lake.read(predictions_uri(loop.pipeline, loop.settings), loop.settings, where=within).to_pandas()
    judged = stored.assign(truth=stored[key].map(shipped_truth.outcomes(NAME))).dropna(subset=["truth"])
    value = (judged["prediction"].map(lambda row: row.argmax()) == judged["truth"]).mean()
    assert loop.monitored.live["accuracy"] == pytest.approx(value)
    assert loop.monitored.labelled_rows == len(judged)


def test_what_is_online_is_what_the_source_says(loop: Loop) -> None:
    last = loop.windows[2].end.astimezone(UTC) - timedelta(days=1)
    online, source = shipped_truth.online(loop.pipeline, loop.settings, last)
    assert online == source


def test_it_is_better_than_what_needs_no_model(loop: Loop) -> None:
    rows = examples.feature_frame(loop.pipeline, loop.windows[2], loop.settings).dropna(subset=["label"])
    assert rows["label"].value_counts(normalize=True).max() < 0.15 < loop.monitored.live["accuracy"]


def test_a_model_trained_on_shuffled_labels_is_refused(loop: Loop, tmp_path: Path) -> None:
    settings = shuffled(loop, tmp_path)
    decision = pipeline_runs.run_training(loop.pipeline.name, settings, loop.windows[1].end)
    assert decision.outcome == "refused"
    broken = {check.rule for check in decision.checks if not check.passed}
    assert broken == {f"floor {floor.metric}" for floor in loop.pipeline.gate.floors}


def shuffled(loop: Loop, root: Path) -> Settings:
    """Another checkout over a copy of the data, in which every label is another row's."""
    for folder in ("include/pipelines", "feature_repo"):
        source = loop.settings.project_dir / folder
        shutil.copytree(source, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    settings = load_settings(project_dir=root, home=root / "home")
    shutil.copytree(loop.untrained, settings.home)
    path, key = (
        root / "include" / "pipelines" / loop.pipeline.name / "features.sql",
        loop.pipeline.prediction.entity_key,
    )
    features, query = re.split(r"^-- labels$", path.read_text(), flags=re.MULTILINE)
    labels = query.strip().rstrip(";")
    path.write_text(
        f"{features}-- labels\nWITH l AS ({labels}),\n"
        f"a AS (SELECT *, row_number() OVER (ORDER BY known_at, {key}) AS n FROM l),\n"
        f"b AS (SELECT label, row_number() OVER (ORDER BY hash({key})) AS n FROM l)\n"
        f"SELECT a.{key}, b.label, a.known_at FROM a JOIN b USING (n);\n"
    )
    return settings
