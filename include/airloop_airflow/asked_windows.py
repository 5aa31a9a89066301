"""A run over no window is refused when it is asked for: in the form, over REST, before anything is started.

Params say how an instant is written; that `start` lies before `end`, on the calendar and inside the coverage is between
two of them, which JSON schema cannot say. The runs' own tasks refuse the same (airloop_airflow.windows): this is the
answer a person gets at once.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from airloop.errors import AirloopError, DataContractError
from airloop.records import Window, parse_instant
from airloop.settings import load_settings

if TYPE_CHECKING:
    from airloop.config import Pipeline

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_RUNS = re.compile(r"/api/v2/dags/(?P<dag_id>([a-z][a-z0-9_]*)__(data|scoring|monitoring|training))/dagRuns/?$")
_UNPROCESSABLE = 422
_MOST_BYTES = 1_000_000


Entitled = Callable[[Message, str], Awaitable[bool]]
"""Whether who sends a request may look at a DAG (by its id)."""


class AskedWindows:
    """ASGI middleware: answers 422 to a request for a run whose window cannot be; passes all others on as they came.

    Who may not see the DAG learns nothing of it here: Airflow answers.
    """

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]], entitled: Entitled) -> None:
        self.app, self.entitled = app, entitled

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Look at a request to start a run."""
        match = _RUNS.search(scope.get("path", "")) if scope["type"] == "http" and scope["method"] == "POST" else None
        if match is None:
            await self.app(scope, receive, send)
            return
        messages = await _read(receive)
        why = refusal(match[2], match[3], b"".join(message.get("body", b"") for message in messages))
        if why and await self.entitled(scope, match["dag_id"]):
            await _answer(send, why)
            return

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self.app(scope, again, send)


def refusal(name: str, group: str, body: bytes) -> str:
    """Why a run of a pipeline's DAG cannot be over the window of its conf; empty when it can, or asks for none.

    What else is wrong with the request is Airflow's to say.
    """
    # Airflow imports this file in every process; the first request needs it.
    from airloop.config import load_pipeline, pipeline_names
    from airloop.config.dag_ids import dag_of

    try:
        conf = json.loads(body or b"{}").get("conf") or {}
        settings = load_settings()
        if not isinstance(conf, dict) or name not in pipeline_names(settings):
            return ""
        pipeline = load_pipeline(name, settings)
    except (ValueError, RecursionError, AttributeError, AirloopError):
        return ""
    try:
        if group == "training":
            _refuse_cutoff(pipeline, conf.get("cutoff"))
        else:
            _refuse_window(pipeline, group, conf.get("start"), conf.get("end"))
    except DataContractError as error:
        return f"{dag_of(name, group)}: {error}"
    return ""


def _refuse_window(pipeline: "Pipeline", group: str, start: Any, end: Any) -> None:
    from airloop.config.bounds import refuse_off_calendar, refuse_outside_coverage

    if not start and not end:
        return
    if not start or not end:
        raise DataContractError(f"start is {start!r} and end is {end!r}: give both or none")
    window = Window(parse_instant(str(start)), parse_instant(str(end)))
    refuse_outside_coverage(pipeline, window)
    refuse_off_calendar(pipeline, window, pipeline.calendar_of(group))


def _refuse_cutoff(pipeline: "Pipeline", cutoff: Any) -> None:
    if not cutoff:
        return
    instant = parse_instant(str(cutoff))
    last = pipeline.coverage.end
    if instant <= pipeline.coverage.start or (last is not None and instant > last):
        raise DataContractError(
            f"cutoff {cutoff} lies outside the coverage ({pipeline.coverage.start}, {last}] of pipeline.yaml"
        )


async def _read(receive: Receive) -> list[Message]:
    """The messages of a request's body, up to a size that no run has."""
    messages, size = [], 0
    while size <= _MOST_BYTES:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    return messages


async def _answer(send: Send, why: str) -> None:
    body = json.dumps({"detail": why}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": _UNPROCESSABLE, "headers": headers})
    await send({"type": "http.response.body", "body": body})
