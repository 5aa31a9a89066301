"""`POST /v1/feedback`: what became of predictions, one or many, all or none."""

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from airloop.config import Pipeline, load_pipeline
from airloop.config.nearest import nearest
from airloop.serving.answering import Caller
from airloop.serving.api.bodies import decode, read_body
from airloop.serving.api.endpoints import body_in_time, json_answer
from airloop.serving.api.requests import FeedbackRequest, Outcome
from airloop.serving.api.service import Service
from airloop.serving.outcomes import outcome_row
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # it reads the lake, whose libraries a service without feedback does without
    from airloop.serving.feedback import Said

_MOST = 1000


async def send(service: Service, request: Request, caller: Caller) -> Response:
    """What became of each outcome; they land within a minute."""
    body = decode(await body_in_time(read_body(request)), FeedbackRequest)
    answers = await run_in_threadpool(_take, service, outcomes_of(body), caller.name)
    return json_answer({"outcomes": answers})


def outcomes_of(body: FeedbackRequest) -> list[Outcome]:
    """The outcomes of a request.

    Raises:
        Refused: Both forms, none, or too many.
    """
    if body.outcomes is None:
        for name in ("outcome", "time"):
            if name not in body.sent():
                raise Refused(422, "missing_field", f"field {name!r} is missing, or `outcomes` for several", field=name)
        return [Outcome(**body.sent())]
    if body.sent():
        raise Refused(422, "two_forms", "send either `outcomes`, or one outcome", field="outcomes")
    if not 0 < len(body.outcomes) <= _MOST:
        says = f"{len(body.outcomes)} outcomes in one request; send 1 to {_MOST}"
        raise Refused(413 if body.outcomes else 422, "wrong_count", says, field="outcomes", value=len(body.outcomes))
    return body.outcomes


def _take(service: Service, outcomes: list[Outcome], caller: str) -> list[dict[str, Any]]:
    from airloop.serving import feedback

    sent = []
    for at, outcome in enumerate(outcomes):
        try:
            sent.append(_said(service, outcome))
        except Refused as error:
            raise (error.in_row(at) if len(outcomes) > 1 else error) from None
    became = feedback.take(service.settings, sent, caller=caller)
    return [
        {"status": status, "pipeline": item.pipeline, "feed": item.row.feed}
        for status, item in zip(became, sent, strict=True)
    ]


def _said(service: Service, outcome: Outcome) -> "Said":
    from airloop.serving import feedback

    if (outcome.prediction_id is None) == (not outcome.entity):
        says = "an outcome names what it is about by `prediction_id`, or by `pipeline` and `entity`"
        raise Refused(422, "which_prediction", says, field="prediction_id")
    if outcome.prediction_id is not None:
        pipelines = [_declared(service, outcome.pipeline)] if outcome.pipeline else _all_declared(service)
        pipeline, entity = feedback.entity_of(pipelines, outcome.prediction_id, service.settings)
    elif outcome.pipeline is None:
        raise Refused(422, "missing_field", "with `entity` the outcome needs `pipeline`", field="pipeline")
    else:
        pipeline, entity = _declared(service, outcome.pipeline), outcome.entity
        _refuse_without_key(pipeline, entity)
    row = outcome_row(pipeline, entity, outcome.outcome, outcome.time)
    return feedback.Said(pipeline.name, row, outcome.corrects, outcome.prediction_id or "")


def _refuse_without_key(pipeline: Pipeline, entity: dict[str, Any]) -> None:
    key = pipeline.prediction.entity_key
    if not isinstance(entity.get(key), str) or not entity[key]:
        near = "" if key in entity else next(filter(None, (nearest(name, [key]) for name in entity)), "")
        raise Refused(422, "missing_key", f"entity needs {key!r}, a text{near}", field=f"entity.{key}")


def _declared(service: Service, name: str) -> Pipeline:
    known = service.champions.slots
    if name not in known:
        says = f"there is no pipeline {name!r}{nearest(name, known)} (pipelines: {', '.join(known) or 'none'})"
        raise Refused(404, "unknown_pipeline", says, field="pipeline", value=name)
    return load_pipeline(name, service.settings)


def _all_declared(service: Service) -> list[Pipeline]:
    """Those that answer or did: a declaration that is broken now cannot take outcomes."""
    return [slot.served.pipeline for slot in service.champions.slots.values() if slot.served]
