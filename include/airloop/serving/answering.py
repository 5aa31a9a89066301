"""From asked rows to answered predictions: features looked up, aged, predicted, logged. Every protocol ends here."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airloop.errors import UpstreamUnavailable
from airloop.models.forms.columns import Placed
from airloop.models.forms.encoder import picked
from airloop.serving.beside import Answers, Beside, Said
from airloop.serving.freshness import Judged, judge
from airloop.serving.logged import Answered, Logged, LoggedRows, new_ids
from airloop.serving.prediction_log import PredictionLog
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served


class Asked(NamedTuple):
    """One row of a request, as it came.

    Attributes:
        entity: Keys by name; empty where all features are sent.
        features: Explicit features by name; they stand before what the online store holds.
        as_of: UTC.
    """

    entity: Mapping[str, Any]
    features: dict[str, Any]
    as_of: datetime


@dataclass(frozen=True)
class Caller:
    """Who asks, how, and since when (perf_counter)."""

    name: str
    protocol: str
    began: float


def answer(
    served: "Served", questions: Sequence[Asked], log: PredictionLog, caller: Caller, beside: Beside | None = None
) -> Answered:
    """Predict every row and write the records; all rows or none.

    Args:
        beside: The challenger that predicts too; what goes wrong with it leaves the champion's answer.

    Raises:
        Refused: A row is refused, with its number where there are several.
    """
    _refuse_count(len(questions), served.pipeline.serving.max_rows)
    features, judged = _features(served, questions)
    predicted = served.predict(served.inputs.rows(features)).tolist()
    if beside is None and _alike(served, questions):
        values = [*map(picked(tuple(served.inputs.by_name)), features)]
        records: Answered = _together(served, questions[0].as_of, values, predicted, caller)
    else:
        own = [Said(served.version, served.decision, served.form.name, value, served.threshold) for value in predicted]
        plain: Answers = [(each, "", None) for each in own]
        answers = plain if beside is None else beside.answers(own, features, [row.entity for row in questions])
        records = _one_by_one(served, questions, features, judged, answers=answers, caller=caller)
    log.append(served.pipeline.name, records)
    return records


def answer_whole(served: "Served", rows: Placed, as_of: datetime, log: PredictionLog, caller: Caller) -> LoggedRows:
    """`answer` to rows that hold every feature, asked of the champion alone.

    Raises:
        Refused: The version cannot compute with a value.
    """
    records = _together(served, as_of, rows.values, served.predict(rows).tolist(), caller)
    log.append(served.pipeline.name, records)
    return records


def _alike(served: "Served", questions: Sequence[Asked]) -> bool:
    """Whether several rows differ in their values alone: all features were sent, for one instant."""
    if len(questions) == 1 or any(row.entity for row in questions):
        return False
    width = len(served.inputs.by_name)
    return all(len(row.features) == width for row in questions) and len({row.as_of for row in questions}) == 1


def _together(
    served: "Served", as_of: datetime, rows: Sequence[tuple[Any, ...]], predicted: list[Any], caller: Caller
) -> LoggedRows:
    now = time.time()
    return LoggedRows(
        ids=new_ids(now, len(rows)),
        at=_text(datetime.fromtimestamp(now, UTC)),
        pipeline=served.pipeline.name,
        version=served.version,
        decision=served.decision,
        as_of=_text(as_of),
        names=tuple(served.inputs.by_name),
        rows=[*rows],
        predictions=predicted,
        latency_ms=_milliseconds(caller),
        caller=caller.name,
        protocol=caller.protocol,
        form=served.form.name,
        threshold=served.threshold,
    )


def _one_by_one(
    served: "Served",
    questions: Sequence[Asked],
    features: Sequence[dict[str, Any]],
    judged: Sequence[Mapping[str, Judged]],
    *,
    answers: Answers,
    caller: Caller,
) -> list[Logged]:
    now, latency = time.time(), _milliseconds(caller)
    at = _text(datetime.fromtimestamp(now, UTC))
    as_of_text = cache(_text)  # rows of a request mostly share theirs
    parts = zip(new_ids(now, len(questions)), questions, features, judged, answers, strict=True)
    return [
        Logged(
            id=identity,
            at=at,
            pipeline=served.pipeline.name,
            version=answered.version,
            decision=answered.decision,
            as_of=as_of_text(row.as_of),
            features=values,
            prediction=answered.prediction,
            latency_ms=latency,
            caller=caller.name,
            protocol=caller.protocol,
            form=answered.form,
            entity=dict(row.entity),
            ages=_ages(views) if views else {},
            flags={view: item.flag for view, item in views.items() if item.flag} if views else {},
            explicit=list(row.features),
            role=role,
            other=other,
            threshold=answered.threshold,
        )
        for identity, row, values, views, (answered, role, other) in parts
    ]


def _milliseconds(caller: Caller) -> float:
    return round((time.perf_counter() - caller.began) * 1000, 3)


def _refuse_count(rows: int, most: int) -> None:
    if not rows:
        raise Refused(422, "no_rows", "the request asks for no row; send at least one", field="rows", value=[])
    if rows > most:
        says = f"{rows} rows in one request, at most {most} are answered (serving.max_rows): send several requests"
        raise Refused(413, "too_many_rows", says, field="rows", value=rows)


def _features(served: "Served", questions: Sequence[Asked]) -> tuple[list[dict[str, Any]], list[dict[str, Judged]]]:
    """Every row's features by name, and what was judged of each view that was read."""
    if not any(row.entity for row in questions) and (usual := served.inputs.usual([row.features for row in questions])):
        return usual, [{} for _ in questions]
    explicit: list[dict[str, Any]] = []
    entities: list[dict[str, Any]] = []
    for at, row in enumerate(questions):
        try:
            explicit.append(served.inputs.checked(row.features))
            entities.append(served.online.checked(row.entity) if row.entity else {})
            _refuse_incomplete(served, explicit[-1], entities[-1])
        except Refused as error:
            raise (error.in_row(at) if len(questions) > 1 else error) from None
    judged: list[dict[str, Judged]] = [{} for _ in questions]
    for view in served.online.views if any(entities) else ():
        needed = [name for name in view.features if name in served.inputs.by_name]
        rows = [at for at, entity in enumerate(entities) if entity and not explicit[at].keys() >= set(needed)]
        if needed and rows:
            _judge_view(served, view, rows, entities=entities, questions=questions, judged=judged)
    names = served.inputs.by_name
    return [_merged(names, sent, views) for sent, views in zip(explicit, judged, strict=True)], judged


def _merged(names: Collection[str], sent: dict[str, Any], views: Mapping[str, Judged]) -> dict[str, Any]:
    """What was sent before what was looked up; what is neither is missing."""
    if len(sent) == len(names):
        return sent
    known: dict[str, Any] = {}
    for item in views.values():
        known.update(item.values)
    return {name: sent[name] if name in sent else known.get(name) for name in names}


def _judge_view(
    served: "Served",
    view: Any,
    rows: Sequence[int],
    *,
    entities: Sequence[Mapping[str, Any]],
    questions: Sequence[Asked],
    judged: list[dict[str, Judged]],
) -> None:
    try:
        known = served.online.read(view, [entities[at] for at in rows])
    except UpstreamUnavailable as error:
        raise Refused(503, "online_store_unavailable", f"{error}; try again, or send the features") from error
    for at, values in zip(rows, known, strict=True):
        try:
            judged[at][view.name] = judge(served.rules[view.name], values, questions[at].as_of)
        except Refused as error:
            raise (error.in_row(at) if len(questions) > 1 else error) from None


def _refuse_incomplete(served: "Served", explicit: Mapping[str, Any], entity: Mapping[str, Any]) -> None:
    """Without keys every feature has to be sent; with them, the keys of every view that is to be read."""
    if len(explicit) == len(served.inputs.by_name):
        return
    missing = [name for name in served.inputs.by_name if name not in explicit]
    if not entity:
        says = f"feature {missing[0]!r} is not sent, and no entity to look it up by; send null where it is missing"
        raise Refused(422, "missing_feature", says, field=missing[0])
    for view in served.online.views:
        if not set(missing).isdisjoint(view.features):
            for name in view.asked_as.values():
                if name not in entity:
                    says = f"key {name!r} is needed to look up view {view.name!r}; send null where a row has none"
                    raise Refused(422, "missing_key", says, field=name)


def _ages(views: Mapping[str, Judged]) -> dict[str, float]:
    return {view: item.age_seconds for view, item in views.items() if item.age_seconds is not None}


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
