"""What leaves as JSON is the pipeline's own answer within 1e-12, of every task and library."""

import json

import numpy as np
import pytest
from tests.support import toy
from tests.support.form_models import COLUMNS, COLUMNS_OF, FEATURES, MODELS, fitted, made_up, real_rows

from airloop.models.forms.choose import chosen_form
from airloop.problems import task_of
from airloop.serving import answering
from airloop.serving.api import bodies, predict
from airloop.serving.api.endpoints import json_answer
from airloop.serving.api.json_keys import fewest_colons
from airloop.serving.api.requests import PredictRequest
from airloop.serving.inputs import Inputs
from airloop.serving.online_features import OnlineFeatures
from airloop.serving.prediction_log import PredictionLog, read_segment, segments
from airloop.serving.served import Served

LIBRARIES = ("HistGradientBoosting", "RandomForest", "LogisticRegression", "Ridge", "KNeighbors", "LGBM", "XGB")
# One against all gives probabilities that do not sum to 1: no task takes them.
CASES = [
    case[:4]
    for case in MODELS
    if case[1].partition(":")[2].startswith(LIBRARIES) and case[3].get("objective") != "multiclassova"
]


def answered(served, rows, log):
    """What leaves as JSON, from the bytes of a request on."""
    sent = json.dumps({"rows": [{"features": row} for row in rows], "as_of": "2020-03-01T00:00:00Z"}).encode()
    asked = predict.asked_rows(bodies.decode(sent, PredictRequest, fewest_colons))
    found = answering.answer(served, asked, log, answering.Caller("open", "/v1", 0.0))
    return [
        row["prediction"] for row in json.loads(json_answer(predict.answer_body(served, found)).body)["predictions"]
    ]


@pytest.mark.parametrize(("kind", "estimator", "encoder", "params"), CASES)
def test_what_leaves_as_json_is_the_pipelines_own_answer_of_every_task(toy_settings, kind, estimator, encoder, params):
    frame = made_up()
    pipeline, model = fitted(toy_settings, frame, kind, estimator, encoder, params)
    task, inputs = task_of(pipeline), Inputs(FEATURES, COLUMNS)
    served = Served(
        pipeline=pipeline,
        version=1,
        decision=1,
        since=toy.START,
        digest="",
        inputs=inputs,
        form=chosen_form(model.model, COLUMNS_OF, task, real_rows(frame)),
        task=task,
        online=OnlineFeatures((), "job", None),
        rules={},
        example={},
    )
    log, rows = PredictionLog(toy_settings), real_rows(frame, 100)
    expected = task.predict(model.model, COLUMNS_OF.table(rows).to_pandas())
    size = np.maximum(1.0, np.abs(expected))
    assert (np.abs(np.array(answered(served, rows, log)) - expected) / size).max() <= 1e-12
    alone = np.array([answered(served, [row], log)[0] for row in rows[:10]])
    assert (np.abs(alone - expected[:10]) / size[:10]).max() <= 1e-12
    logged = [record for path in segments(toy_settings, "toy") for record in read_segment(path)]
    assert [record.features for record in logged] == [*rows, *rows[:10]]
    log.close()
