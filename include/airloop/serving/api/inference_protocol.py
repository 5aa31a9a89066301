"""The Open Inference Protocol, version 2, over REST: `/v2/...`, as KServe, Triton and MLServer speak it.

A request's inputs are features or keys by name, each a tensor of shape [n], [n, 1], or [n, k] for an array feature.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from airloop.config.nearest import nearest
from airloop.serving.answering import Asked, Caller
from airloop.serving.api import tensor_values
from airloop.serving.api.bodies import decode, instant, now, read_body
from airloop.serving.api.endpoints import answered, body_in_time, json_answer
from airloop.serving.api.service import Service
from airloop.serving.api.tensor_values import DATATYPES
from airloop.serving.inputs import Feature
from airloop.serving.logged import Answered, LoggedRows, ids_of, predictions_of
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

_OUTPUT = "prediction"


class Tensor(msgspec.Struct):
    """One input; fields that the protocol may add are passed over."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Wanted(msgspec.Struct):
    """An output that a request asks for; there is one, and it is answered to requests that name none too."""

    name: str


class InferRequest(msgspec.Struct):
    """`parameters` may hold `as_of`."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[Wanted] = []

    def fewest_colons(self) -> int:
        """Of the JSON that it was read from; see bodies.decode."""
        own = 1 + (self.id is not None) + bool(self.parameters) + len(self.parameters)
        return own + len(self.inputs) * len(Tensor.__struct_fields__) + bool(self.outputs) + len(self.outputs)


def error_body(error: Refused) -> dict[str, Any]:
    """As the protocol wants it: one text."""
    return {"error": error.message}


async def live(_service: Service, _request: Request, _caller: Caller) -> Response:
    """The process answers."""
    return json_answer({"live": True})


async def ready(service: Service, _request: Request, _caller: Caller) -> Response:
    """Every pipeline was looked at."""
    return json_answer({"ready": service.ready}, 200 if service.ready else 503)


async def server(_service: Service, _request: Request, _caller: Caller) -> Response:
    """Who this is."""
    return json_answer({"name": "airloop", "version": "0.1.0", "extensions": []})


async def model_ready(service: Service, request: Request, _caller: Caller) -> Response:
    """Whether a pipeline answers."""
    served = _served(service, request)
    return json_answer({"name": served.pipeline.name, "ready": True})


async def model(service: Service, request: Request, _caller: Caller) -> Response:
    """Names, types and shapes of inputs and outputs."""
    served = _served(service, request)
    outputs = [{"name": _OUTPUT, "datatype": "FP64", "shape": [-1, *_classes(served)]}]
    inputs = [_metadata(feature) for feature in served.inputs.features]
    content = {"name": served.pipeline.name, "versions": [str(served.version)], "platform": "airloop"}
    return json_answer({**content, "inputs": inputs, "outputs": outputs})


async def infer(service: Service, request: Request, caller: Caller) -> Response:
    """Predict the rows of the tensors."""
    served = _served(service, request)
    body = decode(await body_in_time(read_body(request)), InferRequest, InferRequest.fewest_colons)
    records = await answered(service, served, asked_rows(served, body), caller)
    return json_answer(_answer(served, body, records))


def asked_rows(served: "Served", body: InferRequest) -> list[Asked]:
    """The rows of the tensors.

    Raises:
        Refused: Tensors of different lengths or of another shape than their data, an unknown name or data type.
    """
    _refuse_other_outputs(body)
    sent = body.parameters.get("as_of")
    if sent is not None and not isinstance(sent, str):
        raise Refused(422, "wrong_instant", "parameters.as_of has to be a text", field="parameters.as_of", value=sent)
    as_of = instant(sent, default=now(), field="parameters.as_of")
    columns = {tensor.name: _values(tensor, served.inputs.by_name.get(tensor.name)) for tensor in body.inputs}
    counts = {len(values) for values in columns.values()}
    if len(columns) < len(body.inputs) or len(counts) > 1:
        says = f"inputs need names of their own and as many rows each (rows: {sorted(counts)})"
        raise Refused(422, "wrong_shape", says, field="inputs")
    keys = served.online.join_keys
    # A name that is both is a feature only when there is no entity to look anything up by.
    whole = served.inputs.by_name.keys() <= columns.keys()
    entities = (
        {} if whole and served.online.entity_key not in columns else {n: columns[n] for n in columns if n in keys}
    )
    features = {name: values for name, values in columns.items() if name in served.inputs.by_name or name not in keys}
    rows = range(counts.pop() if counts else 0)
    return [Asked(_at(entities, row), _at(features, row), as_of) for row in rows]


def _refuse_other_outputs(body: InferRequest) -> None:
    other = next((output.name for output in body.outputs if output.name != _OUTPUT), None)
    if other is not None:
        says = f"outputs: there is no output {other!r}{nearest(other, [_OUTPUT])} (outputs: {_OUTPUT})"
        raise Refused(422, "unknown_output", says, field="outputs", value=other)


def _at(columns: Mapping[str, list[Any]], row: int) -> dict[str, Any]:
    return {name: values[row] for name, values in columns.items()}


def _values(tensor: Tensor, feature: Feature | None) -> list[Any]:
    where = f"inputs[{tensor.name}]"
    if tensor.datatype not in DATATYPES:
        says = f"{where}: data type {tensor.datatype!r} is not one of {', '.join(DATATYPES)}"
        raise Refused(422, "wrong_datatype", says, field=f"{where}.datatype", value=tensor.datatype)
    flat = list(_flattened(tensor.data))
    width = len(feature.columns) if feature and feature.kind == "array" else 1
    rows = tensor.shape[0] if tensor.shape else -1
    if tensor.shape not in ([rows], [rows, width]) or rows < 0 or len(flat) != rows * width:
        says = f"{where}: shape {tensor.shape} with {len(flat)} values; it has to be [n, {width}]"
        raise Refused(422, "wrong_shape", f"{says}{' or [n]' if width == 1 else ''}", field=f"{where}.shape")
    tensor_values.refuse_unfit(tensor.datatype, flat, where)
    return flat if width == 1 else [flat[at : at + width] for at in range(0, len(flat), width)]


def _flattened(data: list[Any]) -> Any:
    for item in data:
        if isinstance(item, list):
            yield from item  # one level: deeper lists are values of no feature and are refused as such
        else:
            yield item


def _metadata(feature: Feature) -> dict[str, Any]:
    datatype = {"text": "BYTES", "flag": "BOOL"}.get(feature.kind, "FP64")
    return {"name": feature.name, "datatype": datatype, "shape": [-1, len(feature.columns)]}


def _classes(served: "Served") -> list[int]:
    return [len(served.task.outputs)] if served.task.outputs else []


def _answer(served: "Served", body: InferRequest, records: Answered) -> dict[str, Any]:
    flat = predictions_of(records)
    values = [item for row in flat for item in row] if served.task.outputs else flat
    shape = [len(records), *_classes(served)]
    content: dict[str, Any] = {"model_name": served.pipeline.name, "model_version": str(served.version)}
    if body.id is not None:
        content["id"] = body.id
    content["parameters"] = {"decision": served.decision, "prediction_ids": ids_of(records)}
    if not isinstance(records, LoggedRows) and any(record.role for record in records):
        content["parameters"]["model_versions"] = [str(record.version) for record in records]
    content["outputs"] = [{"name": _OUTPUT, "datatype": "FP64", "shape": shape, "data": values}]
    return content


def _served(service: Service, request: Request) -> "Served":
    served = service.served(request.path_params["name"])
    number = request.path_params.get("version")
    if number is not None and number != str(served.version):
        says = f"version {number!r} does not answer; in force is {served.version}"
        raise Refused(404, "other_version", says, field="version", value=number)
    return served
