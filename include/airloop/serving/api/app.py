"""The ASGI application of one process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airloop.serving.answering import Caller
from airloop.serving.api import feedback, inference_protocol, metrics, mlflow_protocol, openapi
from airloop.serving.api.endpoints import Endpoint, ErrorBody, json_answer
from airloop.serving.api.predict import predict
from airloop.serving.api.service import Service
from airloop.serving.beside import Beside
from airloop.serving.refused import Refused

_Handler = Callable[[Service, Request, Caller], Awaitable[Response]]


def build(service: Service) -> Starlette:
    """The application; its lifespan starts and closes the service."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.close()

    def route(
        path: str, handler: _Handler, method: str = "POST", scope: str = "predict", error: ErrorBody = _ours
    ) -> Route:
        endpoint = Endpoint(service, path, partial(handler, service), scope, error)
        return Route(path, endpoint, methods=[method])

    mlflow, protocol = mlflow_protocol.error_body, inference_protocol.error_body
    models = "/v2/models/{name}"
    routes = [
        route("/v1/pipelines/{pipeline}/predict", predict),
        route("/v1/pipelines/{pipeline}/invocations", mlflow_protocol.invocations, error=mlflow),
        route("/invocations", mlflow_protocol.invocations, error=mlflow),
        route("/v1/feedback", feedback.send, scope="feedback"),
        *(route(path, mlflow_protocol.ping, "GET", "") for path in ("/ping", "/health", "/readyz")),
        route("/version", mlflow_protocol.mlflow_version, "GET", ""),
        route("/livez", inference_protocol.live, "GET", ""),
        route("/v2/health/live", inference_protocol.live, "GET", ""),
        route("/v2/health/ready", inference_protocol.ready, "GET", ""),
        route("/v2", inference_protocol.server, "GET", ""),
        *(
            new_route
            for prefix in (models, f"{models}/versions/{{version}}")
            for new_route in (
                route(prefix, inference_protocol.model, "GET", error=protocol),
                route(f"{prefix}/ready", inference_protocol.model_ready, "GET", "", error=protocol),
                route(f"{prefix}/infer", inference_protocol.infer, error=protocol),
            )
        ),
        route("/openapi.json", _document, "GET", ""),
        route("/metrics", _metrics, "GET", "admin"),
        route("/status", _status, "GET", "admin"),
    ]
    handlers: Any = {HTTPException: _unrouted}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


def _ours(error: Refused) -> dict[str, Any]:
    return error.to_json()


async def _document(service: Service, _request: Request, _caller: Caller) -> Response:
    return json_answer(openapi.document(service))


async def _metrics(service: Service, _request: Request, _caller: Caller) -> Response:
    text = service.metrics.text(service.champions.slots, service.log.written)
    return Response(text, headers={"content-type": metrics.CONTENT_TYPE})


async def _status(service: Service, _request: Request, _caller: Caller) -> Response:
    """Each pipeline: which version answers, by which form, and what keeps another one from it."""
    pipelines = {
        name: {
            "version": slot.served.version if slot.served else None,
            "decision": slot.served.decision if slot.served else None,
            "form": slot.served.form.name if slot.served else None,
            "why_no_fast_form": slot.served.form.why if slot.served else "",
            "problem": slot.problem,
            "challenger": _challenger(slot.beside),
        }
        for name, slot in sorted(service.champions.slots.items())
    }
    return json_answer({"ready": service.ready, "problem": service.champions.problem, "pipelines": pipelines})


def _challenger(beside: Beside | None) -> dict[str, Any] | None:
    if beside is None:
        return None
    return {"version": beside.version, "shadows": beside.shadows, "share": beside.share, "problem": beside.problem}


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    wrong_method = status == 405
    says = f"{request.method} is not taken here" if wrong_method else f"there is no {request.url.path} here"
    code = "wrong_method" if wrong_method else "unknown_path"
    return json_answer(Refused(status, code, f"{says}; /openapi.json lists what there is").to_json(), status, headers)
