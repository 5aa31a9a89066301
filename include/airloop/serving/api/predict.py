"""`POST /v1/pipelines/{pipeline}/predict`: one row or many, by keys, by features, or both."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from airloop.models.decision_threshold import class_of
from airloop.serving.answering import Asked, Caller
from airloop.serving.api.bodies import decode, instant, now, read_body
from airloop.serving.api.endpoints import answered, answered_whole, body_in_time, json_answer
from airloop.serving.api.json_keys import fewest_colons
from airloop.serving.api.requests import PredictRequest, Row
from airloop.serving.api.service import Service
from airloop.serving.logged import Answered, Logged, LoggedRows
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served


async def predict(service: Service, request: Request, caller: Caller) -> Response:
    """The answer names version, decision, and for each row its prediction id, prediction, ages and flags."""
    served = service.served(request.path_params["pipeline"])
    content = await body_in_time(read_body(request))
    records = answered_whole(service, served, content, caller)
    if records is None:
        body = decode(content, PredictRequest, fewest_colons)
        records = await answered(service, served, asked_rows(body), caller)
    return json_answer(answer_body(served, records))


def asked_rows(body: PredictRequest) -> list[Asked]:
    """The rows of a request.

    Raises:
        Refused: It holds both `rows` and a row of its own, or an `as_of` that is not an instant.
    """
    default = instant(body.as_of, default=now())
    if body.rows is None:
        return [Asked(body.entity, body.features, default)]
    if body.entity or body.features:
        raise Refused(422, "two_forms", "send either `rows`, or one row as `entity` and `features`", field="rows")
    return [Asked(row.entity, row.features, _as_of(row, at, default)) for at, row in enumerate(body.rows)]


def _as_of(row: Row, at: int, default: datetime) -> datetime:
    return default if row.as_of is None else instant(row.as_of, default=default, field=f"rows[{at}].as_of")


def answer_body(served: "Served", answered: Answered) -> dict[str, Any]:
    """The answer to a request, and to nothing else: what it says is in the log by now.

    It names the champion, and each row that a challenger answered names that one; all rows alike, the answer does.
    """
    if isinstance(answered, LoggedRows):
        version, decision, predictions = answered.version, answered.decision, _of_rows(answered)
    else:
        version, decision, predictions = _of_records(served, answered)
    body: dict[str, Any] = {
        "pipeline": served.pipeline.name,
        "model_version": version,
        "decision": decision,
        "predictions": predictions,
    }
    if served.task.classes:
        body["classes"] = list(served.task.classes)
    if served.task.levels:
        body["quantiles"] = list(served.task.levels)
    return body


def _of_rows(rows: LoggedRows) -> list[dict[str, Any]]:
    nothing: dict[str, Any] = {}
    return [
        {
            "prediction_id": identity,
            "prediction": prediction,
            **_decided(prediction, rows.threshold),
            "entity": nothing,
            "as_of": rows.as_of,
            "feature_ages_seconds": nothing,
            "flags": nothing,
        }
        for identity, prediction in zip(rows.ids, rows.predictions, strict=True)
    ]


def _decided(prediction: Any, threshold: float | None) -> dict[str, Any]:
    """The class that is acted on, and from which probability on it is 1; nothing of a version without a threshold."""
    return {} if threshold is None else {"predicted": class_of(prediction, threshold), "threshold": threshold}


def _of_records(served: "Served", records: Sequence[Logged]) -> tuple[int, int, list[dict[str, Any]]]:
    versions = {(record.version, record.decision) for record in records}
    version, decision = versions.pop() if len(versions) == 1 else (served.version, served.decision)
    return (
        version,
        decision,
        [
            {
                "prediction_id": record.id,
                "prediction": record.prediction,
                **_decided(record.prediction, record.threshold),
                "entity": record.entity,
                "as_of": record.as_of,
                "feature_ages_seconds": record.ages,
                "flags": record.flags,
                **({"model_version": record.version, "decision": record.decision} if record.version != version else {}),
            }
            for record in records
        ],
    )
