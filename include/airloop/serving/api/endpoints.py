"""What all endpoints share: the key, the time limit, errors in the protocol's own words, figures."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from airloop.errors import AirloopError, UpstreamUnavailable
from airloop.serving.answering import Asked, Caller, answer, answer_whole
from airloop.serving.api.bodies import instant, now
from airloop.serving.api.service import Service
from airloop.serving.logged import Answered
from airloop.serving.refused import Refused

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

logger = logging.getLogger(__name__)

_BODY_SECONDS = 30.0
# Rows that are answered without another thread: with all features sent, and with some looked up in a local file.
_QUICK_ROWS, _QUICK_LOOKED_UP = 128, 16
Handler = Callable[[Request, Caller], Awaitable[Response]]
ErrorBody = Callable[[Refused], dict[str, Any]]


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON; NaN cannot occur in it."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


@dataclass(frozen=True)
class Endpoint:
    """One route around its handler: an ASGI application, which Starlette leaves alone.

    What Starlette wraps around a function costs a tenth of a prediction, and an endpoint answers every error itself.

    Attributes:
        scope: What the key has to allow; empty where none is asked for.
        error_body: How the protocol says that a request is refused.
    """

    service: Service
    route: str
    handler: Handler
    scope: str = "predict"
    error_body: ErrorBody = Refused.to_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        began = time.perf_counter()
        try:
            name = self.service.caller(given_key(request), self.scope) if self.scope else ""
            response = await self.handler(request, Caller(name, self.route, began))
        except ClientDisconnect:
            response = Response(status_code=499)
        except Exception as error:
            response = self._refusal(error)
        self.service.metrics.request(self.route, response.status_code, time.perf_counter() - began)
        return response

    def _refusal(self, error: Exception) -> Response:
        if isinstance(error, Refused):
            refused = error
        elif isinstance(error, UpstreamUnavailable):
            refused = Refused(503, "unavailable", f"{error}; try again")
        elif isinstance(error, AirloopError):
            refused = Refused(503, "cannot_answer", str(error))
        else:
            logger.error("%s failed", self.route, exc_info=error)
            refused = Refused(500, "error", f"{type(error).__name__}: the service's log says more")
        self.service.metrics.error(refused.code)
        headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
        return json_answer(self.error_body(refused), refused.status, headers)


def given_key(request: Request) -> str:
    """The API key of a request: `Authorization: Bearer KEY`, or `X-API-Key: KEY`."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else request.headers.get("x-api-key", "")


async def body_in_time(reading: Awaitable[bytes]) -> bytes:
    """A body that arrives within 30 s.

    Raises:
        Refused: It does not (408).
    """
    try:
        async with asyncio.timeout(_BODY_SECONDS):  # wait_for would start a task for each request
            return await reading
    except TimeoutError as error:
        raise Refused(408, "slow_body", f"the body did not arrive within {_BODY_SECONDS:.0f} s") from error


async def answered(service: Service, served: "Served", questions: list[Asked], caller: Caller) -> Answered:
    """Predict, in this thread where that takes microseconds, else in another one, within the declared time.

    Raises:
        Refused: See answering.answer; or it takes too long (503): its records may then be in the log all the same.
    """
    beside = service.beside(served)
    slow = beside is not None and beside.served is not None and not beside.served.form.fast
    if served.form.fast and not slow and len(questions) <= _quick(served, questions):
        records = answer(served, questions, service.log, caller, beside)
    else:
        seconds = served.pipeline.serving.timeout_seconds
        try:
            # Abandoned, the thread goes on; without that, whoever waits would wait for it.
            work = to_thread.run_sync(
                partial(answer, served, questions, service.log, caller, beside), abandon_on_cancel=True
            )
            records = await asyncio.wait_for(work, seconds)
        except TimeoutError as error:
            says = f"no answer within {seconds:g} s (serving.timeout_seconds): send fewer rows, or try again"
            raise Refused(503, "too_slow", says) from error
    service.metrics.answered(records)
    return records


def answered_whole(service: Service, served: "Served", content: bytes, caller: Caller) -> Answered | None:
    """The answer to a body of several rows that hold every feature; None where it is to be answered as any other is.

    Raises:
        Refused: Its `as_of` is not an instant; the version cannot compute with a value.
    """
    if not served.form.fast or service.beside(served) is not None:
        return None
    whole = served.whole_rows.read(content)
    if whole is None or not 1 < len(whole.rows) <= min(_QUICK_ROWS, served.pipeline.serving.max_rows):
        return None
    records = answer_whole(served, whole.rows, instant(whole.as_of, default=now()), service.log, caller)
    service.metrics.answered(records)
    return records


def _quick(served: "Served", questions: list[Asked]) -> int:
    """How many rows take about a millisecond."""
    if not any(row.entity for row in questions):
        return _QUICK_ROWS
    return _QUICK_LOOKED_UP if served.online.local else 0
