"""Which predictions and rows are asked about, what answers come to, and that they land by the door of all data."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support import toy, toy_sql

from airloop.config import load_pipeline
from airloop.config.review import Review
from airloop.data import quarantine
from airloop.errors import ConfigError, DataContractError, GuardRefused
from airloop.records import Scored
from airloop.serving import score
from airloop.serving.review import answers, label_studio, questions
from airloop.serving.review.questions import DISAGREEING, LOW_CONFIDENCE, RANDOM, Predicted
from airloop.settings import Settings
from airloop.stores import lake, review_agreement, review_form, reviews, state
from airloop.stores.reviews import Answer, Item

REPOSITORY = Path(__file__).resolve().parents[3]
DECLARED = "review: {confidence_at_most: 0.6, quarantined: true, people: 2}"
DAY = datetime(2020, 1, 2, tzinfo=UTC)


def row(number: int, *by: object, day: int = 0) -> Predicted:
    return Predicted(f"j{number}", DAY + timedelta(days=day, minutes=number), dict(enumerate(by, start=1)))


def asked(
    rows: list[Predicted], asked_before: dict[str, int] | None = None, **declared: object
) -> list[tuple[str, str]]:
    return [(why, one.entity) for why, one in questions.chosen(rows, Review(**declared), asked_before or {})]  # type: ignore[arg-type]


def test_the_least_sure_are_asked_about_first_and_the_sure_not_at_all() -> None:
    rows = [row(1, 0.95), row(2, 0.58), row(3, 0.49), row(4, 0.4), row(5, 0.1)]
    assert asked(rows, confidence_at_most=0.6) == [(LOW_CONFIDENCE, name) for name in ("j3", "j2", "j4")]
    assert asked([row(1, 0.6), row(2, 0.61)], confidence_at_most=0.6) == [(LOW_CONFIDENCE, "j1")]


def test_of_several_classes_the_most_probable_one_counts() -> None:
    rows = [row(1, [0.2, 0.5, 0.3]), row(2, [0.1, 0.9, 0.0])]
    assert asked(rows, confidence_at_most=0.6) == [(LOW_CONFIDENCE, "j1")]


def test_versions_that_give_different_classes_disagree_and_others_do_not() -> None:
    rows = [row(1, 0.4, 0.6), row(2, 0.6, 0.9), row(3, 0.1), row(4, [0.6, 0.4], [0.3, 0.7])]
    assert asked(rows, disagreeing=True) == [(DISAGREEING, "j1"), (DISAGREEING, "j4")]


def test_the_random_share_is_the_same_rows_each_time_and_about_its_size() -> None:
    rows = [row(number, 0.9) for number in range(2000)]
    drawn = asked(rows, random_share=0.1, per_day=10_000)
    assert drawn == asked(rows, random_share=0.1, per_day=10_000)
    assert 150 < len(drawn) < 250
    assert {why for why, _ in drawn} == {RANDOM}
    assert asked(rows, random_share=0.0, disagreeing=True) == []


def test_a_day_has_at_most_its_number_of_questions_those_asked_before_included() -> None:
    rows = [row(number, 0.5) for number in range(9)] + [row(9, 0.5, day=1)]
    assert len(asked(rows, confidence_at_most=0.6, per_day=4)) == 5
    assert len(asked(rows, {"2020-01-02": 3}, confidence_at_most=0.6, per_day=4)) == 2


@pytest.mark.parametrize(
    ("said", "people", "came_to"),
    [
        (["a"], 1, "a"),
        ([], 1, ""),
        (["a"], 2, ""),
        (["a", "a"], 2, "a"),
        (["a", "b"], 2, ""),
        (["a", "b", "b"], 2, "b"),
        (["a", "b", "c"], 2, "c"),
    ],
)
def test_two_settle_it_where_they_agree_and_else_the_third_decides(said: list[str], people: int, came_to: str) -> None:
    assert reviews.outcome(said, people) == came_to


def said(person: str, item: str, value: object) -> Answer:
    return Answer(item, 1, person, {"failed": value}, "")


def test_kappa_is_scikit_learns_and_is_not_defined_where_nothing_varies() -> None:
    values = [(True, True), (True, False), (False, False), (False, False), (True, True)]
    pairs = [[said("ann", str(at), one), said("bob", str(at), two)] for at, (one, two) in enumerate(values)]
    (found,) = review_agreement.agreement(pairs)
    assert (found.items, found.same) == (5, 4)
    assert found.kappa == pytest.approx(0.6153846)
    (constant,) = review_agreement.agreement([[said("ann", "1", True), said("bob", "1", True)]] * 3)
    assert (constant.same, constant.kappa) == (3, None)
    assert review_agreement.agreement([[said("ann", "1", True)]]) == []


@pytest.fixture(scope="module")
def _predicted(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Two days of the toy, the second without outcomes, one row of it in quarantine; every job of it predicted."""
    made = toy.write_project(tmp_path_factory.mktemp("review") / "project", REPOSITORY)
    toy_sql.declare(made, "monitoring:", "review: {confidence_at_most: 0.6, quarantined: true, people: 2}\nmonitoring:")
    toy.land(made, days=range(1))
    toy.land(made, days=range(1, 2), outcomes=False)
    path = Path(made.landing_uri) / "toy" / "jobs" / "2020-01-02.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].rsplit(",", 1)[0] + ",5000"
    path.write_text("\n".join(lines) + "\n")
    for day in (0, 1):
        for stage in ("ingest", "validate_raw"):
            toy.run(stage, made, toy.days(day, day + 1))
    _predict(made, {"j001-005": 0.55, "j001-006": 0.97})
    return made


@pytest.fixture
def settings(_predicted: Settings, tmp_path: Path) -> Settings:
    """A home like that for each test."""
    return toy.copied(_predicted, tmp_path / "project")


def _predict(settings: Settings, values: dict[str, float]) -> None:
    import pyarrow as pa

    window, count = toy.days(1, 2), len(values)
    rows = pa.table(
        {
            "job": list(values),
            "decision_time": pa.array([window.start + timedelta(hours=5)] * count, lake.INSTANT),
            "model_version": pa.array([1] * count, pa.int64()),
            "role": ["champion"] * count,
            "mode": ["live"] * count,
            "prediction": pa.array(list(values.values()), pa.float64()),
            "window_start": pa.array([window.start] * count, lake.INSTANT),
        }
    )
    uri = score.predictions_uri(toy.toy_pipeline(settings), settings)
    lake.replace_window(uri, rows, settings, time_column="decision_time", window=window, sort_by=["job"])
    record = Scored(window, 1, "champion", "live", count, count, 1).to_json()
    state.save_record(settings, "toy", "score", input_key="score", window=window, record=record)


def items(settings: Settings) -> dict[str, Item]:
    return {one.kind: one for one in reviews.every(settings, "toy")}


def landed_of(settings: Settings, feed: str) -> list[str]:
    return sorted(path.name for path in (Path(settings.landing_uri) / "toy" / feed).glob("2020-01-02*"))


def test_an_unsure_prediction_and_a_quarantined_row_are_asked_about_once(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    assert questions.ask(pipeline, settings) == 2
    assert questions.ask(pipeline, settings) == 0
    prediction, refused = items(settings)[reviews.PREDICTION], items(settings)[reviews.ROW]
    assert prediction.content["entity"] == {"job": "j001-005"}
    assert prediction.content["shown"]["jobs"]["job"] == "j001-005"
    assert prediction.content["fields"] == [{"name": "failed", "kind": "boolean", "choices": ["true", "false"]}]
    assert refused.content["rules"] == "expect_column_values_to_be_between(size)"


def test_answers_land_in_the_outcome_feed_and_out_of_quarantine_once_and_are_rows_then(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    questions.ask(pipeline, settings)
    prediction, refused = items(settings)[reviews.PREDICTION], items(settings)[reviews.ROW]
    assert reviews.say(settings, "toy", prediction.id, "ann", {"failed": True}).answer == ""
    assert answers.land(pipeline, settings).files == ()
    reviews.say(settings, "toy", prediction.id, "bob", {"failed": True})
    values = {field["name"]: field["value"] for field in refused.content["fields"]} | {"size": "50"}
    reviews.say(settings, "toy", refused.id, "ann", values)
    done = answers.land(pipeline, settings)
    assert (len(done.files), done.refused) == (2, 0)
    assert answers.land(pipeline, settings) == answers.Landed((), 0)
    assert len(landed_of(settings, "failures")) == 1
    assert [name for name in landed_of(settings, "jobs") if "release" in name]
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, settings, toy.days(1, 2))
    rows = lake.read(lake.table_uri(settings, "toy", "clean", "failures"), settings).to_pylist()
    assert [one["failed"] for one in rows if one["job"] == "j001-005"] == [True]
    assert quarantine.list_rows(pipeline, settings) == []


def test_an_answer_that_contradicts_a_known_outcome_or_a_row_that_is_gone_is_refused_with_the_reason(
    settings: Settings,
) -> None:
    pipeline = toy.toy_pipeline(settings)
    questions.ask(pipeline, settings)
    prediction, refused = items(settings)[reviews.PREDICTION], items(settings)[reviews.ROW]
    for person in ("ann", "bob"):
        reviews.say(settings, "toy", prediction.id, person, {"failed": True})
    answers.land(pipeline, settings)
    again = Item(**{**prediction.to_json(), "id": "again"})
    reviews.add(settings, [Item(**{**again.to_json(), "people": 1})])
    reviews.say(settings, "toy", "again", "cid", {"failed": False})
    values = {field["name"]: field["value"] for field in refused.content["fields"]} | {"job": "j999"}
    reviews.say(settings, "toy", refused.id, "ann", values)
    assert answers.land(pipeline, settings) == answers.Landed((), 2)
    assert "another outcome of" in reviews.item(settings, "toy", "again").problem
    assert "j999" in reviews.item(settings, "toy", refused.id).problem


def test_a_challenger_asked_beside_the_champion_disagrees_where_its_class_is_another(settings: Settings) -> None:
    import pyarrow as pa

    window = toy.days(1, 2)
    rows = pa.table(
        {
            "job": ["j001-006", "j001-007", None],
            "decision_time": pa.array([window.start + timedelta(hours=hour) for hour in (5, 6, 7)], lake.INSTANT),
            "champion_version": pa.array([1, 1, 1], pa.int64()),
            "champion_prediction": pa.array([0.97, 0.9, 0.9], pa.float64()),
            "challenger_version": pa.array([2, 2, 2], pa.int64()),
            "challenger_prediction": pa.array([0.3, 0.8, 0.1], pa.float64()),
        }
    )
    uri = lake.table_uri(settings, "toy", "predictions", "shadow")
    lake.replace_window(uri, rows, settings, time_column="decision_time", window=window, sort_by=["decision_time"])
    toy_sql.declare(settings, DECLARED, "review: {disagreeing: true}")
    assert questions.ask(toy.toy_pipeline(settings), settings) == 1
    asked_about = items(settings)[reviews.PREDICTION]
    assert asked_about.content["entity"] == {"job": "j001-006"}
    assert asked_about.content["predictions"] == {"1": 0.97, "2": 0.3}


def test_what_cannot_be_told_lands_nothing(settings: Settings) -> None:
    pipeline = toy.toy_pipeline(settings)
    questions.ask(pipeline, settings)
    refused = items(settings)[reviews.ROW]
    reviews.say(settings, "toy", refused.id, "ann", reviews.DROP)
    assert answers.land(pipeline, settings) == answers.Landed((), 0)
    assert len(quarantine.list_rows(pipeline, settings)) == 1
    with pytest.raises(GuardRefused, match="is settled already"):
        reviews.say(settings, "toy", refused.id, "bob", reviews.DROP)


def test_label_studio_gets_tasks_and_its_annotations_come_back_once(settings: Settings, tmp_path: Path) -> None:
    pipeline = toy.toy_pipeline(settings)
    questions.ask(pipeline, settings)
    (task,) = label_studio.export(pipeline, settings)
    assert (task["data"]["job"], task["predictions"][0]["score"]) == ("j001-005", 0.55)
    result = {"from_name": "failed", "to_name": "text", "type": "choices", "value": {"choices": ["true"]}}
    task["annotations"] = [
        {"completed_by": {"id": 3, "email": "ann@shop.example"}, "was_cancelled": False, "result": [result]},
        {"completed_by": 4, "was_cancelled": False, "result": [result]},
        {"completed_by": 5, "was_cancelled": True, "result": []},
    ]
    path = tmp_path / "annotated.json"
    path.write_text(json.dumps([task]))
    assert label_studio.take(pipeline, path, settings) == label_studio.Imported(2, 0)
    assert label_studio.take(pipeline, path, settings) == label_studio.Imported(0, 2)
    said = reviews.answers(settings, [task["data"]["airloop_id"]])
    people = [one.person for one in said[task["data"]["airloop_id"]]]
    assert people == ["label_studio:ann@shop.example", "label_studio:4"]
    assert label_studio.export(pipeline, settings) == []
    (whole,) = label_studio.export(pipeline, settings, open_only=False)
    assert whole["annotations"][0]["result"][0]["value"] == {"choices": ["true"]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": {}}, "data.airloop_id is missing"),
        ({"data": {"airloop_id": "none"}}, "has no review item 'none'"),
        ({"annotations": [{"result": []}]}, "does not say by whom"),
        ({"annotations": [{"completed_by": 1, "result": []}]}, "field 'failed' is missing"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "failed", "value": {"choices": ["maybe"]}}]}]}, "is one of: true, false"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "faild", "value": {"choices": ["true"]}}]}]}, "did you mean 'failed'"),
        ({"data": ["airloop_id"]}, "data.airloop_id is missing"),
        ({"annotations": "none"}, "annotations is not a list of objects"),
        ({"annotations": [1]}, "annotations is not a list of objects"),
        ({"annotations": [{"completed_by": 1, "result": {"from_name": "failed"}}]}, "result is not a list of objects"),
        ({"annotations": [{"completed_by": True, "result": []}]}, "does not say by whom"),
        ({"annotations": [{"completed_by": "a\x1b[31m", "result": []}]}, "cannot be printed"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "failed", "value": {"choices": ["true", "false"]}}]}]}, "is not one value of a control"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "failed", "value": {"rating": 3}}]}]}, "is not one value of a control"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "failed", "value": "true"}]}]}, "is not one value of a control"),
        ({"annotations": [{"completed_by": 1, "result": [
            {"from_name": "failed", "value": {"choices": ["true"]}},
            {"from_name": "failed", "value": {"choices": ["false"]}}]}]}, "answers 'failed' twice"),
    ],
)  # fmt: skip
def test_an_import_that_does_not_fit_keeps_nothing_and_names_the_task(
    settings: Settings, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    pipeline = toy.toy_pipeline(settings)
    questions.ask(pipeline, settings)
    (good,) = label_studio.export(pipeline, settings)
    result = {"from_name": "failed", "value": {"choices": ["true"]}}
    good["annotations"] = [{"completed_by": 9, "result": [result]}]
    path = tmp_path / "annotated.json"
    path.write_text(json.dumps([good, {**good, **change}]))
    with pytest.raises(DataContractError, match=says) as error:
        label_studio.take(pipeline, path, settings)
    assert "task 1" in str(error.value)
    assert reviews.answers(settings, [good["data"]["airloop_id"]]) == {}


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_a_text_that_no_database_takes_is_no_answer(text: str) -> None:
    content = {"fields": [{"name": "note", "kind": "string"}]}
    one = Item("one", "toy", reviews.PREDICTION, RANDOM, "failures", content, 1, "2020-01-02T00:00:00.000000Z")
    assert review_form.read(one, {"note": "aé b"}) == {"note": "aé b"}
    with pytest.raises(DataContractError, match="holds a character that no file or database takes"):
        review_form.read(one, {"note": text})


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ("review: {}", "asks about nothing"),
        ("review: {random_shar: 0.1}", "did you mean 'random_share'"),
        ("review: {random_share: 0.1, people: 3}", "less than or equal to 2"),
    ],
)
def test_a_wrong_review_is_refused(settings: Settings, declared: str, says: str) -> None:
    toy_sql.declare(settings, DECLARED, declared)
    with pytest.raises(ConfigError, match=says):
        load_pipeline("toy", settings)


def test_a_pipeline_without_a_review_asks_nobody(tmp_path: Path) -> None:
    plain = toy.write_project(tmp_path / "plain", REPOSITORY)
    assert questions.ask(toy.toy_pipeline(plain), plain) == 0
