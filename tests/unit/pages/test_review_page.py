"""The review page: who may answer, forms from elsewhere are refused, data is escaped, nobody sees others' answers."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Header, HTTPException
from tests.support import toy, toy_sql

from airloop.pages.app import Airflow, create
from airloop.settings import Settings
from airloop.stores import reviews
from airloop.stores.reviews import Item

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = "/pipelines/toy/review"
NASTY = "<script>alert('x')</script>"
FIELDS = [{"name": "failed", "kind": "boolean", "choices": ["true", "false"]}]
ASKED = "review: {random_share: 0.5, people: 2}\nmonitoring:"


def login(x_user: Annotated[str, Header()] = "") -> str:
    if not x_user:
        raise HTTPException(401, "who is there?")
    return x_user


def question(number: int, **more: object) -> Item:
    values: dict[str, object] = {
        "id": f"item{number}",
        "pipeline": "toy",
        "kind": reviews.PREDICTION,
        "why": "random",
        "feed": "failures",
        "content": {
            "entity": {"job": NASTY},
            "decision_time": "2020-01-02T00:00:00.000000Z",
            "predictions": {"1": 0.51},
            "shown": {"jobs": {"size": NASTY, "machine": None}},
            "fields": FIELDS,
        },
        "people": 2,
        "about_at": f"2020-01-0{9 - number}T00:00:00.000000Z",
    }
    return Item(**{**values, **more})  # type: ignore[arg-type]


Send = Callable[..., httpx.Response]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = toy.write_project(tmp_path / "project", REPOSITORY)
    toy_sql.declare(found, "monitoring:", ASKED)
    monkeypatch.setenv("AIRLOOP_PROJECT_DIR", str(found.project_dir))
    monkeypatch.setenv("AIRLOOP_HOME", str(found.home))
    reviews.add(found, [question(1), question(2)])
    return found


@pytest.fixture
def send(settings: Settings) -> Send:
    """Everybody sees the toy but eve; vic only looks."""
    app = create(
        Airflow(
            login, lambda user, _: user != "eve", lambda *_: None, may_act=lambda user, _: user not in ("eve", "vic")
        )
    )

    async def asked(method: str, user: str, **options: object) -> httpx.Response:
        place = {"transport": httpx.ASGITransport(app), "base_url": "http://pages"}
        async with httpx.AsyncClient(cookies=options.pop("cookies", None), **place) as client:  # type: ignore[arg-type]
            headers = {"x-user": user} | dict(options.pop("headers", {}))  # type: ignore[call-overload]
            return await client.request(method, PAGE, headers=headers, **options)  # type: ignore[arg-type]

    return lambda method, user="", **options: asyncio.run(asked(method, user, **options))


def answer(send: Send, user: str, item: str = "item1", **more: object) -> httpx.Response:
    """Answer as the page's form does."""
    page = send("GET", user)
    token = re.search(r'name="_token_of_form" value="([^"]+)"', page.text)
    form = {"_token_of_form": token[1] if token else "", "_item": item, "_do": "save", "failed": "true"}
    values = {key: value for key, value in {**form, **dict(more.pop("form", {}))}.items() if value is not None}  # type: ignore[call-overload]
    return send("POST", user, data=values, cookies=dict(page.cookies), **more)


def test_the_queue_opens_with_a_login_and_is_refused_to_who_may_not_see_the_pipeline(send: Send) -> None:
    assert send("GET").status_code == 401
    assert send("GET", "eve").status_code == 403
    page = send("GET", "ann")
    assert page.status_code == 200
    assert "2 wait for you" in page.text


def test_what_data_says_is_shown_and_never_run(send: Send) -> None:
    page = send("GET", "ann")
    assert NASTY not in page.text
    assert "&lt;script&gt;alert" in page.text
    rules = page.headers["content-security-policy"]
    assert "form-action 'self'" in rules
    assert "script-src 'sha256-" in rules


def test_an_answer_is_kept_with_who_gave_it_and_the_next_question_follows(send: Send, settings: Settings) -> None:
    done = answer(send, "ann")
    assert (done.status_code, done.headers["location"]) == (303, PAGE)
    (said,) = reviews.answers(settings, ["item1"])["item1"]
    assert (said.person, said.answer) == ("ann", {"failed": True})
    assert "1 waits for you" in send("GET", "ann").text
    assert "2 wait for you" in send("GET", "bob").text
    assert not re.search(r"\bann\b", send("GET", "bob").text)


def test_who_may_only_look_has_no_form_and_is_refused(send: Send, settings: Settings) -> None:
    assert "<form" not in send("GET", "vic").text
    assert answer(send, "vic").status_code == 403
    assert reviews.answers(settings, ["item1"]) == {}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"form": {"_token_of_form": "guessed"}}, 403),
        ({"form": {"_token_of_form": None}}, 403),
        ({"headers": {"sec-fetch-site": "cross-site"}}, 403),
        ({"headers": {"sec-fetch-site": "same-site"}}, 403),
        ({"headers": {"origin": "http://evil.example"}}, 403),
        ({"headers": {"content-type": "application/json"}}, 415),
        ({"form": {"failed": "x" * 300_000}}, 413),
        ({"form": {"failed": ["true", "false"]}}, 422),
        ({"form": {"failed": "perhaps"}}, 422),
        ({"form": {"failed": None}}, 422),
        ({"form": {"faild": "true"}}, 422),
        ({"form": {"_item": "none"}}, 422),
        ({"form": {"_item": None}}, 422),
    ],
)
def test_a_form_from_elsewhere_or_with_a_wrong_answer_changes_nothing(
    send: Send, settings: Settings, more: dict[str, object], status: int
) -> None:
    refused = answer(send, "ann", **more)
    assert refused.status_code == status
    assert reviews.answers(settings, ["item1", "item2"]) == {}


def test_a_form_of_our_own_page_passes_what_the_browser_says(send: Send) -> None:
    said = {"sec-fetch-site": "same-origin", "origin": "http://pages"}
    assert answer(send, "ann", headers=said).status_code == 303


def test_a_cookie_alone_is_not_enough_and_a_token_alone_is_not_either(send: Send) -> None:
    page = send("GET", "ann")
    form = {"_item": "item1", "failed": "true"}
    assert send("POST", "ann", data=form, cookies=dict(page.cookies)).status_code == 403
    token = page.cookies["airloop_form"]
    assert send("POST", "ann", data={**form, "_token_of_form": token}).status_code == 403
    set_cookie = page.headers["set-cookie"].lower()
    assert "httponly" in set_cookie
    assert "samesite=strict" in set_cookie


def test_nobody_answers_twice_and_a_wrong_answer_says_what_is_wrong(send: Send) -> None:
    answer(send, "ann")
    assert "ann answered review item item1 already" in answer(send, "ann").text.replace("&#39;", "'")
    assert "is one of: true, false" in answer(send, "bob", form={"failed": "perhaps"}).text


def test_two_who_differ_are_decided_by_a_third_and_agreement_is_shown(send: Send, settings: Settings) -> None:
    answer(send, "ann")
    answer(send, "bob", form={"failed": "false"})
    page = send("GET", "cid").text
    assert "they differ: you decide" in page
    answer(send, "cid", form={"failed": "false"})
    assert reviews.item(settings, "toy", "item1").answer == '{"failed": false}'
    for person in ("ann", "bob"):
        answer(send, person, "item2", form={"failed": "false"})
    page = send("GET", "ann").text
    assert "Nothing waits for you" in page
    assert "(differed)" in page
    assert re.search(
        r"ann, bob</td><td class=\"right\">2</td><td class=\"right\">1</td><td class=\"right\">0\.00", page
    )


def test_a_page_without_a_declared_review_says_how_to_declare_one(send: Send, settings: Settings) -> None:
    toy_sql.declare(settings, ASKED, "monitoring:")
    text = send("GET", "ann").text
    assert ">Review<" not in text
