"""The review queue of a pipeline: one question at a time, how much waits, and how well people agree."""

from collections.abc import Mapping
from typing import Any

from airloop.config import load_pipeline
from airloop.errors import DataContractError
from airloop.pages import history, mlflow_links
from airloop.pages.site import Site
from airloop.reports.rendering import render
from airloop.stores import review_agreement, review_form, reviews
from airloop.stores.reviews import Answer, Item

ITEM, DECISION, SAVE = "_item", "_do", "save"
_WAITING, _SETTLED = 200, 20
# Agreement is that of the newest items: a page does not read years of answers.
_COMPARED = 1000


def page(site: Site, name: str, person: str, *, token: str, may_answer: bool, problem: str = "") -> str:
    """What waits for this person, what was answered, and by whom.

    Args:
        token: What a form has to send back.
        may_answer: Whether this person may run the pipeline's DAGs; who only sees them reads.
        problem: Why the last answer was not taken.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        UpstreamUnavailable: The state database does not answer.
    """
    pipeline = load_pipeline(name, site.settings)
    waiting = reviews.open_items(site.settings, name, person, limit=_WAITING)
    done = reviews.settled(site.settings, name, limit=_SETTLED)
    compared = reviews.every(site.settings, name, limit=_COMPARED)
    by_item = reviews.answers(site.settings, {one.id for one in (*compared, *waiting, *done)})
    return render(
        "review.html",
        site=site,
        here="review",
        pipeline=pipeline,
        mlflow=mlflow_links.of_pipeline(site.settings, name, history.versions(site.settings, name)),
        declared=pipeline.review,
        person=person,
        may_answer=may_answer,
        problem=problem,
        token=token,
        waiting=len(waiting),
        many=len(waiting) == _WAITING,
        question=_question(waiting[0], by_item) if waiting else None,
        lines=[_line(one, by_item.get(one.id, [])) for one in done],
        agreement=review_agreement.agreement(by_item.values()),
    )


def keep(site: Site, name: str, person: str, sent: Mapping[str, str]) -> None:
    """Keep what a form holds.

    Raises:
        DataContractError: A field cannot have this value, or no item is named.
        GuardRefused: No such item, it is settled, or this person answered it already.
    """
    if ITEM not in sent:
        raise DataContractError("the form names no item: open the page again")
    item = reviews.item(site.settings, name, sent[ITEM])
    if sent.get(DECISION) == reviews.DROP:
        answer: Any = reviews.DROP
    else:
        own = {key: value for key, value in sent.items() if not key.startswith("_")}
        answer = review_form.read(item, own)
    reviews.say(site.settings, name, item.id, person, answer)


def _question(item: Item, by_item: Mapping[str, list[Answer]]) -> dict[str, Any]:
    return {
        "item": item,
        "answers": len(by_item.get(item.id, [])),
        "shown": item.content["shown"],
        "entity": item.content["entity"],
        "predictions": item.content.get("predictions", {}),
        "rules": item.content.get("rules", ""),
        "fields": [
            {"fixed": False, "choices": [], **field, "text": review_form.text_of(field.get("value"))}
            for field in item.content["fields"]
        ],
    }


def _line(item: Item, answers: list[Answer]) -> dict[str, Any]:
    values = [f"{name} {review_form.text_of(value)}" for name, value in item.said().items()]
    return {
        "item": item,
        "entity": item.content["entity"],
        "answer": ", ".join(values) or "left as it is",
        "people": [one.person for one in answers],
        "differed": len({str(one.answer) for one in answers}) > 1,
    }
