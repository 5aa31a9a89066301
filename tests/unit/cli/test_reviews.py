"""`airloop review`: what is asked, answered by hand, and told."""

import json
from pathlib import Path

import pytest
from tests.support import toy, toy_sql

from airloop import cli
from airloop.settings import Settings
from airloop.stores import reviews
from airloop.stores.reviews import Item

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = toy.write_project(tmp_path / "project", REPOSITORY)
    toy_sql.declare(found, "monitoring:", "review: {random_share: 0.5, people: 2}\nmonitoring:")
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(found.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(found.home))
    content = {
        "entity": {"job": "j1"},
        "decision_time": "2020-01-02T00:00:00.000000Z",
        "predictions": {"1": 0.5},
        "shown": {},
        "fields": [{"name": "failed", "kind": "boolean", "choices": ["true", "false"]}],
    }
    one = Item("one", "toy", reviews.PREDICTION, "random", "failures", content, 2, "2020-01-02T00:00:00.000000Z")
    reviews.add(found, [one])
    return found


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["review", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), " ".join((said.out + said.err).split())


def test_an_item_is_answered_by_hand_and_two_who_agree_settle_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "j1" in ran(capsys, "list", "toy")[1]
    code, says = ran(capsys, "answer", "toy", "one", "failed=true", "--who", "ann")
    assert (code, says) == (0, "one: kept; another person is asked too")
    assert (
        "ann answered review item one already" in ran(capsys, "answer", "toy", "one", "failed=true", "--who", "ann")[1]
    )
    assert 'settled: {"failed": true}' in ran(capsys, "answer", "toy", "one", "failed=true", "--who", "bob")[1]
    told = json.loads(ran(capsys, "list", "toy", "--settled", "--json")[1])
    assert (told["items"][0]["answers"], told["agreement"][0]["same"]) == (2, 1)
    assert "nothing is asked" in ran(capsys, "list", "toy")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("answer", "toy", "none", "failed=true"), "has no review item 'none'"),
        (("answer", "toy", "one", "failed"), "write FIELD=VALUE, or drop alone"),
        (("answer", "toy", "one", "failed=perhaps"), "is one of: true, false"),
        (("answer", "toy", "one", "faild=true"), "did you mean 'failed'"),
        (("answer", "toy", "one", "failed=true", "failed=false"), "a field is there twice"),
        (("import", "toy", "nowhere.json"), "cannot be read as JSON"),
        (("list", "shop"), "shop"),
    ],
)
def test_a_wrong_answer_is_refused_in_one_line_and_kept_nowhere(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    code, told = ran(capsys, *arguments)
    assert (code, says in told) == (1, True)
    assert reviews.answers(settings, ["one"]) == {}


def test_asking_where_nothing_is_declared_names_the_guide(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_sql.declare(settings, "review: {random_share: 0.5, people: 2}\nmonitoring:", "monitoring:")
    code, says = ran(capsys, "ask", "toy")
    assert (code, "docs/guides/reviews.md" in says) == (1, True)


def test_a_list_of_tasks_is_written_for_label_studio(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "1 tasks written" in ran(capsys, "export", "toy", str(tmp_path / "tasks.json"))[1]
    assert json.loads((tmp_path / "tasks.json").read_text())[0]["data"]["airloop_id"] == "one"
