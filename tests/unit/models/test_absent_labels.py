"""prediction.labels: what it means that no outcome ever arrived."""

import pytest
from tests.support import toy

from airloop.config.prediction import Prediction
from airloop.deployment import Deployment
from airloop.errors import DataContractError
from airloop.features import examples
from airloop.models import outcomes_there, training_rows

DECLARED = "label_delay_hours: 24"
ONLY_FAILED = "AS label, known_at FROM failures WHERE failed;"


def declared(settings, folder, labels, sql=ONLY_FAILED):
    settings = toy.edited(settings, folder / "a", "pipeline.yaml", DECLARED, f"{DECLARED}, labels: {labels}")
    return toy.edited(settings, folder / "b", "features.sql", "AS label, known_at FROM failures;", sql)


def test_an_example_without_an_outcome_gets_its_label_only_after_the_wait(toy_built, tmp_path):
    settings = declared(toy_built, tmp_path, "{absent_after_days: 5, means: 0}")
    pipeline, window = toy.toy_pipeline(settings), toy.days(0, 20)
    truth = examples.feature_frame(toy.toy_pipeline(toy_built), window, toy_built, as_of=window.end)
    frame = examples.feature_frame(pipeline, window, settings, as_of=window.end)
    waited = frame["decision_time"] <= toy.days(0, 15).end
    assert frame.loc[waited, "label"].tolist() == truth.loc[waited, "label"].tolist()
    assert set(frame.loc[~waited, "label"].dropna()) == {1.0}
    assert frame.loc[~waited, "label"].isna().any()


def test_rows_are_mature_only_when_the_wait_is_over(toy_built, tmp_path):
    settings = declared(toy_built, tmp_path, "{absent_after_days: 5, means: 0}")
    pipeline = toy.toy_pipeline(settings)
    made = training_rows.training_rows(Deployment(pipeline, settings), toy.days(0, 40).end)
    assert made.holdout.end == toy.days(0, 35).end
    assert made.frame["label"].notna().all()
    assert 0 < made.frame["label"].mean() < 1


def test_a_feed_of_positives_that_fell_silent_is_refused(toy_built, tmp_path):
    sql = "AS label, known_at FROM failures WHERE failed AND known_at < TIMESTAMPTZ '2020-01-25 00:00:00+00';"
    settings = declared(toy_built, tmp_path, "{absent_after_days: 5, means: 0}", sql)
    pipeline = toy.toy_pipeline(settings)
    with pytest.raises(DataContractError, match=r"no outcome is known after 2020-01-24.*longest silence.*count as 0"):
        outcomes_there.refuse_ended(pipeline, toy.days(0, 40).end, toy.days(20, 35), settings)
    outcomes_there.refuse_ended(pipeline, toy.days(0, 24).end, toy.days(5, 19), settings)


@pytest.mark.parametrize(
    ("task", "classes", "means", "says"),
    [
        ("binary", (), 2, "labels.means is 2"),
        ("multiclass", ("a", "b"), 2, "it is one of [0, 1]"),
        ("binary", (), 0.5, "0.5"),
    ],
)
def test_absence_means_a_label_of_the_task(task, classes, means, says):
    common = {"entity_key": "job", "lead_minutes": 0, "label_delay_hours": 24, "task": task, "classes": classes}
    assert Prediction.model_validate({**common, "labels": {"absent_after_days": 3, "means": 1}}).label_delay.days == 3
    with pytest.raises(ValueError, match=says.replace("[", r"\[").replace("]", r"\]")):
        Prediction.model_validate({**common, "labels": {"absent_after_days": 3, "means": means}})


def test_the_longer_of_both_delays_counts():
    common = {"entity_key": "job", "lead_minutes": 0, "label_delay_hours": 96}
    assert Prediction.model_validate({**common, "labels": {"absent_after_days": 3, "means": 0}}).label_delay.days == 4
    assert Prediction.model_validate(common).label_delay.days == 4
