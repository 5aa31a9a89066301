"""MLflow's scoring protocol: `/invocations`, `/ping`, `/health`, `/version`, for clients that speak it already.

Answers have the shape that `mlflow models serve` gives for the same version: a classifier's probabilities of all its
classes, a regression's values. Columns may be features or keys; columns that are neither are passed over, as MLflow
does, unless a feature is missing: then the nearest of them is named.
"""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from airloop.config.nearest import nearest
from airloop.serving.answering import Asked, Caller
from airloop.serving.api.bodies import instant, now, read_body
from airloop.serving.api.endpoints import answered, body_in_time, json_answer
from airloop.serving.api.json_keys import unique
from airloop.serving.api.service import Service
from airloop.serving.logged import predictions_of
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

# What float() reads, but for digits of other scripts and the underscores of Python's own source.
_NUMBER = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf(inity)?)\s*", re.ASCII | re.IGNORECASE)
_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_WORDS = {400: "BAD_REQUEST", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "RESOURCE_DOES_NOT_EXIST"}


def error_body(error: Refused) -> dict[str, Any]:
    """As MLflow writes it."""
    word = _WORDS.get(error.status, "INTERNAL_ERROR" if error.status >= 500 else "BAD_REQUEST")
    return {"error_code": word, "message": error.message, **error.place}


async def invocations(service: Service, request: Request, caller: Caller) -> Response:
    """Predict the rows of a frame; which pipeline is in the path, or the only one that is declared."""
    served = service.served(_pipeline(service, request))
    content = await body_in_time(read_body(request))
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind == "text/csv":
        rows, params = _csv(content), None
    elif kind == "application/json":
        body = _json(content)
        rows, params = frame_rows(body), body.get("params")
    else:
        says = f"content type {kind!r} is not read; send application/json or text/csv"
        raise Refused(415, "wrong_content_type", says, field="content-type", value=kind)
    as_of = _as_of(params)
    records = await answered(service, served, [_asked(served, row, as_of) for row in rows], caller)
    headers = {"X-Airloop-Model-Version": str(served.version), "X-Airloop-Decision": str(served.decision)}
    predictions = [_as_mlflow(served, prediction) for prediction in predictions_of(records)]
    return json_answer({"predictions": predictions}, headers=headers)


async def ping(service: Service, _request: Request, _caller: Caller) -> Response:
    """200 when the service is ready."""
    return Response("\n", 200 if service.ready else 503)


async def mlflow_version(_service: Service, _request: Request, _caller: Caller) -> Response:
    """The version of MLflow whose protocol this is."""
    return Response(version("mlflow"), media_type="text/plain")


def frame_rows(body: Any) -> list[Mapping[str, Any]]:
    """The rows in one of MLflow's four formats.

    Raises:
        Refused: None of them, or one of another shape.
    """
    if not isinstance(body, dict) or sum(name in body for name in _FORMATS) != 1:
        sent = sorted(body) if isinstance(body, dict) else type(body).__name__
        says = f"the body has to hold exactly one of {', '.join(_FORMATS)}"
        raise Refused(400, "wrong_shape", says, field="body", value=str(sent))
    name = next(item for item in _FORMATS if item in body)
    content = body[name]
    if name == "dataframe_split":
        return _split(content)
    if name == "inputs" and isinstance(content, dict):
        return _columns(content)
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise Refused(400, "wrong_shape", f"{name} has to be a list of objects, one a row", field=name)
    return list(content)


def _split(content: Any) -> list[Mapping[str, Any]]:
    columns = content.get("columns") if isinstance(content, dict) else None
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(columns, list) or not all(isinstance(c, str) for c in columns) or not isinstance(data, list):
        raise Refused(
            400, "wrong_shape", "dataframe_split needs columns (texts) and data (rows)", field="dataframe_split"
        )
    _refuse_repeated(columns, "dataframe_split.columns")
    for at, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            says = f"dataframe_split.data[{at}] has to be a list of {len(columns)} values, one a column"
            raise Refused(400, "wrong_shape", says, field=f"dataframe_split.data[{at}]")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _refuse_repeated(columns: Sequence[str], where: str) -> None:
    if len(set(columns)) < len(columns):
        twice = Counter(columns).most_common(1)[0][0]
        says = f"{where}: the column {twice!r} is there twice: send it once"
        raise Refused(400, "repeated_column", says, field=where, value=twice)


def _columns(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lists = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) != 1:
        says = f"inputs: every column needs as many values (lengths: {sorted(lengths)})"
        raise Refused(400, "wrong_shape", says, field="inputs")
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _json(content: bytes) -> Any:
    # Not msgspec: MLflow's own client writes NaN for a missing number, which is not JSON.
    try:
        return json.loads(content, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "not_json", f"the body is not JSON: {error}", field="body") from error


def _csv(content: bytes) -> list[Mapping[str, Any]]:
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        lines = [line for line in csv.reader(text, strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(400, "not_csv", f"the body is not CSV in UTF-8: {error}", field="body") from error
    columns, rows = (lines[0], lines[1:]) if lines else ([], [])
    _refuse_repeated(columns, "header")
    for at, row in enumerate(rows):
        if len(row) != len(columns):
            says = f"row {at} has {len(row)} values, and the header names {len(columns)} columns"
            raise Refused(400, "wrong_shape", says, row=at, field="body")
    return [{name: _of_csv(value) for name, value in zip(columns, row, strict=True)} for row in rows]


def _of_csv(text: Any) -> Any:
    return None if text == "" else text


def _asked(served: "Served", row: Mapping[str, Any], as_of: datetime) -> Asked:
    known = served.inputs.by_name
    flat = {column: feature for feature in known.values() if feature.kind == "array" for column in feature.columns}
    features: dict[str, Any] = {name: _typed(known[name].kind, row[name]) for name in known if name in row}
    for feature in {item.name: item for column, item in flat.items() if column in row}.values():
        features[feature.name] = [_typed("number", row.get(column)) for column in feature.columns]
    entity = {name: _missing(row[name]) for name in served.online.join_keys if name in row and name not in features}
    if served.inputs.by_name.keys() - features.keys() and served.online.entity_key not in entity:
        gone = next(name for name in known if name not in features)
        others = [name for name in row if name not in features]
        raise Refused(400, "missing_feature", f"column {gone!r} is missing{nearest(gone, others)}", field=gone)
    whole = served.inputs.by_name.keys() <= features.keys()
    return Asked({} if whole and served.online.entity_key not in entity else entity, features, as_of)


def _as_of(params: Any) -> datetime:
    """The instant that MLflow's `params` name, for rows that are looked up; now unless they do."""
    if params is not None and not isinstance(params, dict):
        raise Refused(400, "wrong_shape", 'params has to be an object, like {"as_of": ...}', field="params")
    other = next((name for name in params or () if name != "as_of"), None)
    if other is not None:
        says = f"params: {other!r} is not known{nearest(other, ['as_of'])} (params: as_of)"
        raise Refused(400, "unknown_param", says, field=f"params.{other}")
    sent = (params or {}).get("as_of")
    if sent is not None and not isinstance(sent, str):
        raise Refused(400, "wrong_instant", "params.as_of has to be a text", field="params.as_of", value=sent)
    return instant(sent, default=now(), field="params.as_of")


def _typed(kind: str, value: Any) -> Any:
    """CSV holds texts only, and NaN stands for a missing number."""
    value = _missing(value)
    if kind == "number" and isinstance(value, str) and _NUMBER.fullmatch(value):
        return _missing(float(value))
    if kind == "flag" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value


def _missing(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _as_mlflow(served: "Served", prediction: Any) -> Any:
    if served.task.kind == "binary" and isinstance(prediction, float):
        return [1 - prediction, prediction]
    return prediction


def _pipeline(service: Service, request: Request) -> str:
    named = request.path_params.get("pipeline")
    if named:
        return str(named)
    slots = service.champions.slots
    if not service.ready:
        raise Refused(503, "starting", "the service is starting: try again in a few seconds")
    names: Sequence[str] = [name for name, slot in slots.items() if slot.served] or list(slots)
    if len(names) != 1:
        paths = ", ".join(f"/v1/pipelines/{name}/invocations" for name in slots) or "none is declared"
        raise Refused(404, "which_pipeline", f"several pipelines, or none, answer here; post to one of: {paths}")
    return names[0]
