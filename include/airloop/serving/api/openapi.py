"""The OpenAPI document: a path for each pipeline that answers, its request typed from the version's features."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airloop.serving.api.service import Service
from airloop.serving.inputs import Feature

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "field": {"type": "string"},
                "row": {"type": "integer"},
                "value": {},
            },
        }
    },
}
_INSTANT = {"type": "string", "format": "date-time", "example": "2013-02-01T06:00:00Z"}
_REFUSALS = {
    "400": "The body is not JSON",
    "401": "No API key, or one that is not known",
    "403": "The key lacks the scope",
    "404": "No such pipeline, model or prediction",
    "408": "The body did not arrive in time",
    "409": "Values are stale, absent or from after as_of, and the declaration refuses that; or outcomes contradict",
    "413": "The body or the number of rows is too large",
    "415": "Another content type",
    "422": "A field or value is wrong: named in the answer",
    "503": "Nobody answers for the pipeline yet, or a store does not answer",
}


def document(service: Service) -> dict[str, Any]:
    """OpenAPI 3.1 of the service as it stands."""
    paths: dict[str, Any] = {}
    for name, slot in sorted(service.champions.slots.items()):
        if slot.served:
            paths |= _pipeline_paths(name, slot.served)
    paths["/v1/feedback"] = {"post": _operation("feedback", "Send outcomes", _FEEDBACK, _FEEDBACK_ANSWER)}
    health = {"200": {"description": "Yes"}, "503": {"description": "Not yet"}}
    for path in ("/livez", "/readyz", "/ping", "/health", "/version"):
        paths[path] = {"get": {"operationId": path.strip("/"), "responses": health, "security": []}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "airloop", "version": "1", "description": "Predictions of the champions in force."},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [] if service.open_to_all else [{"key": []}],
    }


def _pipeline_paths(name: str, served: "Served") -> dict[str, Any]:
    says = f"{served.pipeline.description} Version {served.version} answers."
    predict = _operation(f"predict_{name}", says, _predict_body(served), _predict_answer(served))
    frame = _operation(f"invocations_{name}", "MLflow's scoring protocol", _frame_body(served), _FRAME_ANSWER)
    infer = _operation(f"infer_{name}", "Open Inference Protocol 2", _infer_body(served), _INFER_ANSWER)
    metadata = {"operationId": f"model_{name}", "responses": _responses({"type": "object"})}
    return {
        f"/v1/pipelines/{name}/predict": {"post": predict},
        f"/v1/pipelines/{name}/invocations": {"post": _with_plain_errors(frame)},
        f"/v2/models/{name}": {"get": _with_plain_errors(metadata)},
        f"/v2/models/{name}/infer": {"post": _with_plain_errors(infer)},
    }


def _operation(operation: str, summary: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": _responses(answer),
    }


def _responses(answer: Mapping[str, Any]) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refusals = {status: {"description": says, "content": error} for status, says in _REFUSALS.items()}
    return {"200": {"description": "Answered", "content": {"application/json": {"schema": answer}}}, **refusals}


def _with_plain_errors(operation: dict[str, Any]) -> dict[str, Any]:
    """Those protocols have error bodies of their own."""
    plain = {"application/json": {"schema": {"type": "object"}}}
    refusals = {status: {"description": says, "content": plain} for status, says in _REFUSALS.items()}
    return {**operation, "responses": {**operation["responses"], **refusals}}


def _object(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def _feature_schema(feature: Feature) -> dict[str, Any]:
    if feature.kind == "array":
        items = {"type": ["number", "null"]}
        count = len(feature.columns)
        return {"type": ["array", "null"], "items": items, "minItems": count, "maxItems": count}
    return {"type": [{"number": "number", "text": "string", "flag": "boolean"}[feature.kind], "null"]}


def _row(served: "Served") -> dict[str, Any]:
    keys = {
        name: {"type": ["string" if kind is str else "integer", "null"]}
        for name, kind in served.online.join_keys.items()
    }
    features = {feature.name: _feature_schema(feature) for feature in served.inputs.features}
    return {"entity": _object(keys), "features": _object(features), "as_of": _INSTANT}


def _predict_body(served: "Served") -> dict[str, Any]:
    row = _row(served)
    rows = {"type": "array", "items": _object(row), "minItems": 1, "maxItems": served.pipeline.serving.max_rows}
    by_keys = {"entity": dict.fromkeys(served.online.join_keys, "..."), "as_of": _INSTANT["example"]}
    examples = {
        "explicit features": {"value": {"features": dict(served.example)}},
        "several rows": {"value": {"rows": [{"features": dict(served.example)}] * 2}},
        "by keys": {"value": by_keys},
    }
    one, many = _object(row), _object({"rows": rows, "as_of": _INSTANT}, required=["rows"])
    return {"schema": {"anyOf": [one, many]}, "examples": examples}


_OF_A_CHALLENGER = {
    "model_version": {"type": "integer", "description": "of a row that a challenger answered (serving.canary)"},
    "decision": {"type": "integer", "description": "likewise"},
}

_DECIDED = {
    "predicted": {"type": "integer", "description": "1 where the prediction is at least the threshold, else 0"},
    "threshold": {"type": "number", "description": "of versions that have one: chosen on the folds by gate.rules cost"},
}


def _predict_answer(served: "Served") -> dict[str, Any]:
    number: dict[str, Any] = {"type": "number"}
    prediction = {"type": "array", "items": number} if served.task.outputs else number
    ages = {"type": "object", "additionalProperties": {"type": "number"}}
    flags = {"type": "object", "additionalProperties": {"enum": ["stale", "absent"]}}
    row = {
        "prediction_id": {"type": "string"},
        "prediction": prediction,
        "entity": {"type": "object"},
        "as_of": {"type": "string"},
        "feature_ages_seconds": ages,
        "flags": flags,
    }
    body = {
        "pipeline": {"type": "string"},
        "model_version": {"type": "integer"},
        "decision": {"type": "integer"},
        "predictions": {
            "type": "array",
            "items": {"type": "object", "properties": {**row, **_DECIDED, **_OF_A_CHALLENGER}, "required": list(row)},
        },
    }
    return {"type": "object", "properties": body, "required": list(body)}


def _frame_body(served: "Served") -> dict[str, Any]:
    features = {feature.name: _feature_schema(feature) for feature in served.inputs.features if feature.kind != "array"}
    records = {"type": "array", "items": {"type": "object", "properties": features, "required": list(features)}}
    flat = served.inputs.row(served.example)
    split = {"columns": list(flat), "data": [list(flat.values())]}
    schema = _object({"dataframe_records": records}, required=["dataframe_records"])
    wide = {"type": "object", "properties": {"dataframe_split": {"type": "object"}}, "required": ["dataframe_split"]}
    return {"schema": {"anyOf": [schema, wide]}, "examples": {"frame": {"value": {"dataframe_split": split}}}}


def _infer_body(served: "Served") -> dict[str, Any]:
    tensor = {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"type": "string"},
        "data": {"type": "array"},
    }
    inputs = {"type": "array", "items": {"type": "object", "properties": tensor, "required": list(tensor)}}
    kinds = {"text": "BYTES", "flag": "BOOL"}
    example = [
        {
            "name": feature.name,
            "shape": [1, len(feature.columns)],
            "datatype": kinds.get(feature.kind, "FP64"),
            "data": served.example[feature.name] if feature.kind == "array" else [served.example[feature.name]],
        }
        for feature in served.inputs.features
    ]
    schema = {"type": "object", "properties": {"id": {"type": "string"}, "inputs": inputs}, "required": ["inputs"]}
    return {"schema": schema, "examples": {"one row": {"value": {"inputs": example}}}}


_FRAME_ANSWER = {"type": "object", "properties": {"predictions": {"type": "array"}}, "required": ["predictions"]}
_INFER_ANSWER = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "outputs": {"type": "array"},
    },
    "required": ["model_name", "model_version", "outputs"],
}
_OUTCOME = _object(
    {
        "prediction_id": {"type": "string"},
        "pipeline": {"type": "string"},
        "entity": {"type": "object"},
        "outcome": {},
        "time": _INSTANT,
        "corrects": {"type": "boolean"},
    },
    required=["outcome", "time"],
)
_OUTCOMES = {"type": "array", "items": _OUTCOME, "minItems": 1, "maxItems": 1000}
_FEEDBACK = {
    "schema": {"anyOf": [_OUTCOME, _object({"outcomes": _OUTCOMES}, required=["outcomes"])]},
    "examples": {"one": {"value": {"prediction_id": "0" * 32, "outcome": True, "time": _INSTANT["example"]}}},
}
_FEEDBACK_ANSWER = {"type": "object", "properties": {"outcomes": {"type": "array"}}, "required": ["outcomes"]}
