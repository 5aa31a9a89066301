"""A pipeline with a text column through training, service and monitoring: read by its words at each of them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support import served_toy, toy

from airloop.features import examples
from airloop.models import model_version
from airloop.models.documents import Documents
from airloop.records import Window
from airloop.settings import Settings

pytestmark = [pytest.mark.integration]


def test_a_text_is_learned_served_and_watched_by_its_words(tmp_path: Path) -> None:
    settings = toy.write_project(tmp_path / "project", Settings().project_dir)
    settings = toy.edited(settings, tmp_path / "text", "pipeline.yaml", "seed: 7", "seed: 7, text: [machine_code]")
    served_toy.write(settings)
    pipeline, day = toy.toy_pipeline(settings), toy.days(served_toy.CUTOFF, served_toy.CUTOFF + 1)
    version = model_version.load_champion(pipeline, 1, settings)
    (_, words, column) = version.model[0].transformers_[2]
    assert isinstance(words, Documents)
    assert column == "machine_code"
    assert set(words.vectorizer_.vocabulary_) == {"m0", "m1", "m2", "m3", "m4"}
    hour = Window(served_toy.NOON, served_toy.NOON.replace(minute=0) + timedelta(hours=1))
    frame = examples.feature_frame(pipeline, hour, settings, with_labels=False)
    machines = dict(examples.examples(pipeline, hour, settings).select(["job", "machine"]).to_pandas().values)
    expected = version.predict(pipeline, frame)
    rows = frame.to_dict(orient="records")
    sent = [{"features": {name: row[name] for name in version.features}} for row in rows]
    asked = [
        {"entity": {"job": row["job"], "machine": machines[row["job"]]}, "as_of": row["decision_time"].isoformat()}
        for row in rows
    ]
    with served_toy.running(settings) as client:
        answers = [served_toy.ask(client, {"rows": body}).json()["predictions"] for body in (sent, asked)]
        missing = served_toy.ask(client, {"features": served_toy.EXPLICIT | {"machine_code": None}})
        status = client.get("/status").json()
    assert [[row["prediction"] for row in answer] for answer in answers] == [list(expected)] * 2
    assert missing.status_code == 200
    assert "machine_code is a text column, read by its words" in json.dumps(status)
    assert toy.run("score", settings, day).appended == toy.ROWS_A_DAY
