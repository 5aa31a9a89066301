"""A pipeline with a text column and declared costs, trained and served: by its words, and by one threshold."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.support import served_toy, toy

from airloop.features import examples
from airloop.models import decision_threshold, model_version, serving_form
from airloop.models.documents import Documents
from airloop.records import Window
from airloop.serving import predicted, version_files
from airloop.settings import Settings
from airloop.stores.mlflow import model_files, registry, tag_names

pytestmark = [pytest.mark.integration]

COSTS = "{kind: cost, false_positive: 1, false_negative: 4}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The served toy whose machine code is a text, and whose missed failures cost four false alarms."""
    root = tmp_path_factory.mktemp("text")
    settings = toy.write_project(root / "project", Settings().project_dir)
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = declared.read_text().replace("seed: 7", "seed: 7, text: [machine_code]")
    declared.write_text(text.replace("gate:\n", f"gate:\n  rules: [{COSTS}]\n"))
    served_toy.write(settings)
    return settings


@pytest.fixture
def hour() -> Window:
    return Window(served_toy.NOON, served_toy.NOON.replace(minute=0) + timedelta(hours=1))


def test_a_text_is_learned_and_served_by_its_words(home: Settings, hour: Window) -> None:
    pipeline = toy.toy_pipeline(home)
    version = model_version.load_champion(pipeline, 1, home)
    (_, words, column) = version.model[0].transformers_[2]
    assert isinstance(words, Documents)
    assert column == "machine_code"
    assert set(words.vectorizer_.vocabulary_) == {"m0", "m1", "m2", "m3", "m4"}
    frame = examples.feature_frame(pipeline, hour, home, with_labels=False)
    machines = dict(examples.examples(pipeline, hour, home).select(["job", "machine"]).to_pandas().values)
    expected = version.predict(pipeline, frame)
    rows = frame.to_dict(orient="records")
    sent = [{"features": {name: row[name] for name in version.features}} for row in rows]
    asked = [
        {"entity": {"job": row["job"], "machine": machines[row["job"]]}, "as_of": row["decision_time"].isoformat()}
        for row in rows
    ]
    with served_toy.running(home) as client:
        answers = [served_toy.ask(client, {"rows": body}).json()["predictions"] for body in (sent, asked)]
        missing = served_toy.ask(client, {"features": served_toy.EXPLICIT | {"machine_code": None}})
        status = client.get("/status").json()
    assert [[row["prediction"] for row in answer] for answer in answers] == [list(expected)] * 2
    assert missing.status_code == 200
    form = serving_form.served_by(model_version.version_files("toy", 1, home))
    assert form["form"] == "pipeline"
    for says in (json.dumps(status), form["why"]):
        assert "machine_code is a text column, read by its words" in says


def test_a_version_has_a_threshold_that_everything_decides_by(home: Settings, hour: Window) -> None:
    pipeline = toy.toy_pipeline(home)
    version = model_version.load_champion(pipeline, 1, home)
    threshold = decision_threshold.threshold_of(version.params)
    assert threshold is not None
    kept = json.loads(model_version.version_files("toy", 1, home)[model_files.RECORD])
    assert kept["threshold"] == threshold
    measured = toy.run("evaluate", home, toy.days(0, served_toy.CUTOFF)).measured["1 cost"]
    assert measured["threshold"] == threshold
    with served_toy.running(home) as client:
        body = {"rows": [{"features": served_toy.EXPLICIT | {"celsius": heat}} for heat in (20.0, 95.0)]}
        answer = served_toy.ask(client, body).json()["predictions"]
        document = client.get("/openapi.json").text
    assert [row["predicted"] for row in answer] == [int(row["prediction"] >= threshold) for row in answer]
    assert {row["threshold"] for row in answer} == {threshold}
    assert {row["predicted"] for row in answer} == {0, 1}
    assert '"threshold"' in document
    day = toy.days(served_toy.CUTOFF, served_toy.CUTOFF + 1)
    assert toy.run("score", home, day).appended == toy.ROWS_A_DAY
    rows = predicted.predicted(pipeline, day, home)
    watched = toy.run("monitor", home, day)
    assert "60 rows on a side" in json.loads(Path(watched.metrics_uri).read_text())["not_judged"]["machine_code"]
    assert rows["threshold"].unique().to_list() == [threshold]
    assert rows["predicted"].to_list() == (rows["prediction"] >= threshold).cast(pl.Int64).to_list()


def test_predictions_are_shown_by_the_threshold_they_were_served_by(home: Settings, monkeypatch) -> None:
    pipeline, day = toy.toy_pipeline(home), toy.days(served_toy.CUTOFF, served_toy.CUTOFF + 1)
    threshold = decision_threshold.threshold_of(model_version.load_champion(pipeline, 1, home).params)
    registry.tag_version(home, "toy", 1, {tag_names.PARAMS: json.dumps({decision_threshold.KEY: 0.999})})
    assert predicted.predicted(pipeline, day, home)["threshold"].unique().to_list() == [threshold]
    other = model_version.version_files("toy", 1, home) | {model_files.RECORD: b'{"threshold": 0.999}'}
    monkeypatch.setattr(version_files, "files", lambda *_: other)
    rows = predicted.predicted(pipeline, day, home)
    assert "threshold" not in rows.columns
    assert rows["prediction"].null_count() == 0
