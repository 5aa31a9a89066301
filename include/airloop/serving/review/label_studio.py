"""Items out to Label Studio and answers back, in its JSON: a list of tasks with `data`, `predictions`, `annotations`.

The labelling configuration names the controls like the outcome feed's columns: `Choices` where there are choices,
`TextArea` or `Number` elsewhere (docs/guides/reviews.md). A task is found again by `data.airloop_id`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airloop.config import Pipeline
from airloop.errors import DataContractError, GuardRefused
from airloop.settings import Settings
from airloop.stores import review_form, reviews
from airloop.stores.reviews import Answer, Item

_CONTROLS = ("choices", "text", "number")


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        taken: Answers that are new.
        before: Answers that this person gave before, or to items that are settled.
    """

    taken: int
    before: int


def export(pipeline: Pipeline, settings: Settings, *, open_only: bool = True) -> list[dict[str, Any]]:
    """Tasks for Label Studio, of the items about predictions."""
    items = [one for one in reviews.every(settings, pipeline.name) if one.kind == reviews.PREDICTION]
    if open_only:
        items = [one for one in items if not one.answer]
    by_item = reviews.answers(settings, [one.id for one in items])
    return [_task(one, by_item.get(one.id, [])) for one in items]


def take(pipeline: Pipeline, path: Path, settings: Settings) -> Imported:
    """Take the annotations of an export of Label Studio; its people answer as `label_studio:<email or id>`.

    All of it is checked before the first answer is kept; the same file again takes nothing.

    Raises:
        DataContractError: Not such a file, a task of another place, or an answer that does not fit; names the task.
    """
    tasks, checked = _read(path), list[tuple[Item, str, Any]]()
    for number, task in enumerate(tasks):
        place = f"{path}: task {number}"
        item = _item(pipeline, task, place, settings)
        for annotation in _objects(task.get("annotations"), f"{place}: annotations"):
            if not annotation.get("was_cancelled"):
                checked.append((item, _person(annotation, place), _answer(item, annotation, place)))
    new = 0
    for item, person, answer in checked:
        try:
            reviews.say(settings, pipeline.name, item.id, person, answer)
            new += 1
        except GuardRefused:
            continue  # it is settled, or this person answered before
    return Imported(new, len(checked) - new)


def _task(item: Item, answers: Sequence[Answer]) -> dict[str, Any]:
    shown = {f"{feed}.{name}": value for feed, row in item.content["shown"].items() for name, value in row.items()}
    data = {"airloop_id": item.id, "why": item.why, "decision_time": item.content["decision_time"]}
    text = "\n".join(f"{name}: {value}" for name, value in {**item.content["entity"], **shown}.items())
    return {
        "data": {**data, **item.content["entity"], **shown, "text": text},
        "meta": {"pipeline": item.pipeline},
        "predictions": [
            {"model_version": version, "score": max(value) if isinstance(value, list) else value, "result": []}
            for version, value in item.content["predictions"].items()
        ],
        "annotations": [
            {"completed_by": {"email": one.person}, "was_cancelled": False, "result": _results(item, one.answer)}
            for one in answers
            if isinstance(one.answer, dict)
        ],
    }


def _results(item: Item, answer: dict[str, Any]) -> list[dict[str, Any]]:
    results = []
    for field in item.content["fields"]:
        name, text = field["name"], review_form.text_of(answer.get(field["name"]))
        kind, value = ("choices", [text]) if field.get("choices") else ("textarea", [text])
        key = "choices" if kind == "choices" else "text"
        results.append({"from_name": name, "to_name": "text", "type": kind, "value": {key: value}})
    return results


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataContractError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(one, dict) for one in tasks):
        raise DataContractError(f"{path}: is not a list of tasks: export JSON from Label Studio, not JSON-MIN or CSV")
    return tasks


def _objects(value: Any, place: str) -> list[dict[str, Any]]:
    """A list of objects; none where there is nothing."""
    listed = [] if value is None else value
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise DataContractError(f"{place} is not a list of objects: export JSON from Label Studio, not JSON-MIN or CSV")
    return listed


def _item(pipeline: Pipeline, task: dict[str, Any], place: str, settings: Settings) -> Item:
    data = task.get("data")
    name = data.get("airloop_id") if isinstance(data, dict) else None
    if not isinstance(name, str):
        raise DataContractError(f"{place}: data.airloop_id is missing: only tasks of `airloop review export` come back")
    try:
        return reviews.item(settings, pipeline.name, name)
    except GuardRefused as error:
        raise DataContractError(f"{place}: {error}") from error


def _person(annotation: dict[str, Any], place: str) -> str:
    who = annotation.get("completed_by")
    name = who.get("email") or who.get("id") if isinstance(who, dict) else who
    if isinstance(name, bool) or not isinstance(name, (str, int)) or not str(name).strip():
        raise DataContractError(f"{place}: an annotation does not say by whom (completed_by)")
    if not str(name).isprintable():
        raise DataContractError(f"{place}: completed_by {name!r} holds characters that cannot be printed")
    return f"label_studio:{name}"[:100]


def _answer(item: Item, annotation: dict[str, Any], place: str) -> Any:
    sent: dict[str, str] = {}
    for result in _objects(annotation.get("result"), f"{place}: result"):
        name = str(result.get("from_name"))
        if name in sent:
            raise DataContractError(f"{place}: an annotation answers {name!r} twice: leave one of them")
        sent[name] = _given(result, f"{place}: {name}")
    try:
        return review_form.read(item, sent)
    except DataContractError as error:
        raise DataContractError(f"{place}: {error}") from error


def _given(result: dict[str, Any], place: str) -> str:
    """The one value of a control; what it holds besides, or instead, is not guessed at."""
    value = result.get("value")
    choices = [value[kind] for kind in _CONTROLS if kind in value] if isinstance(value, dict) else []
    choice = choices[0] if len(choices) == 1 else None
    if isinstance(choice, list):
        choice = choice[0] if len(choice) == 1 else None
    if isinstance(choice, (dict, list)) or choice is None:
        raise DataContractError(
            f"{place} is not one value of a control Choices, TextArea or Number: {json.dumps(value)[:100]}"
        )
    return review_form.text_of(choice)
