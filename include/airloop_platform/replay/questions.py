"""A window's first rows, asked over the API before batch scoring has seen them: does one version answer alike twice?

Each row is a request of its own, with the features that a batch scoring gives the model. Rows that send their features
are not scored rows, so that what monitoring judges stays what it was.
"""

import http.client
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from airloop.config import Pipeline
from airloop.records import Record, Window
from airloop.settings import Settings
from airloop.stores import api_keys, state
from airloop.stores.ledger import History

logger = logging.getLogger(__name__)

CALLER = "replay"
_STAGE = "replay_asked"
_FOLLOWS_SECONDS = 30.0
_MOST_SECONDS = 60.0
_CONNECTIONS = 4


@dataclass(frozen=True)
class Asked(Record):
    """What became of the requests about a window.

    Attributes:
        version: In force at the window's start; what is compared.
        requests: Of one row each.
        errors: Requests that got no prediction of this version.
        p50_ms: As the caller measures, errors included; p99_ms likewise. 0 without requests.
    """

    window: Window
    version: int
    requests: int
    errors: int
    p50_ms: float
    p99_ms: float


def asked(pipeline: Pipeline, window: Window, settings: Settings) -> Asked | None:
    """What was asked about a window; None where nothing was."""
    rows = state.latest_records(settings, pipeline.name, _STAGE, window=window)
    return Asked.from_json(rows[-1]) if rows else None


@dataclass(frozen=True)
class Questions:
    """Asks the service of one platform.

    Attributes:
        rows: How many of a window's rows are asked about; 0: none.
        url: Of the prediction service; empty where none runs.
    """

    pipeline: Pipeline
    settings: Settings
    url: str
    rows: int

    def ask(self, window: Window, history: History, *, say: Callable[[str], None]) -> None:
        """Ask once about a window's first rows by decision time, and write down what became of it."""
        version = history.champion(window.start)
        if not self.rows or not self.url or version is None or asked(self.pipeline, window, self.settings):
            return
        with self._connection() as connection:
            names = self._features(connection, version)
            bodies = _bodies(self.pipeline, window, self.settings, names=names, rows=self.rows) if names else [b"{}"]
            say(f"{len(bodies):,} rows asked over the API")
            answers = _answers(connection, bodies, version)
        seconds, errors = sorted(answer.seconds for answer in answers), [item.error for item in answers if item.error]
        if errors:
            logger.warning(
                "%s %s: %d of %d not answered: %s", self.pipeline.name, window, len(errors), len(bodies), errors[0]
            )
        record = Asked(
            window, version, len(bodies), len(errors), _milliseconds(seconds, 0.5), _milliseconds(seconds, 0.99)
        )
        name, key = self.pipeline.name, f"{window} {version}"
        state.save_record(self.settings, name, _STAGE, input_key=key, window=window, record=record.to_json())

    @contextmanager
    def _connection(self) -> "Iterator[_Connection]":
        with (
            api_keys.own(self.settings, CALLER, ["predict"]) as key,
            closing(_Connection(self.url, self.pipeline.name, key)) as connection,
        ):
            yield connection

    def _features(self, connection: "_Connection", version: int) -> list[str]:
        """The features that the version takes, once it answers; none where it does not within half a minute."""
        end = time.monotonic() + _FOLLOWS_SECONDS
        while time.monotonic() < end:
            about = connection.about()
            if about.get("versions") == [str(version)]:
                return [feature["name"] for feature in about["inputs"]]
            time.sleep(0.1)
        logger.warning("version %d of %s does not answer at %s: %s", version, self.pipeline.name, self.url, about)
        return []


@dataclass(frozen=True)
class _Answer:
    """How long a request took, and why it has no prediction; empty when it has."""

    seconds: float
    error: str


def _answers(first: "_Connection", bodies: list[bytes], version: int) -> list[_Answer]:
    """Each request once, over connections of their own: one that was idle for five seconds is closed by the service."""
    end = time.monotonic() + _MOST_SECONDS
    parts = [bodies[at::_CONNECTIONS] for at in range(_CONNECTIONS)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        answers = pool.map(lambda part: _in_turn(first.another(), part, version, end=end), parts)
        return [answer for part in answers for answer in part]


def _in_turn(connection: "_Connection", bodies: list[bytes], version: int, *, end: float) -> list[_Answer]:
    """One request after the other; what is late counts as not answered, so that a replay goes on."""
    late = _Answer(0.0, f"not asked within {_MOST_SECONDS:.0f} s")
    try:
        return [connection.predict(body, version) if time.monotonic() < end else late for body in bodies]
    finally:
        connection.close()


class _Connection:
    """One connection that is kept open: what a caller of today does, at a tenth of a new one's cost."""

    def __init__(self, url: str, name: str, key: str) -> None:
        self._http, self._url = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30), url
        self._name, self._headers = name, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def another(self) -> "_Connection":
        """A further one for the same caller."""
        return _Connection(self._url, self._name, self._headers["Authorization"].removeprefix("Bearer "))

    def about(self) -> dict[str, Any]:
        """What the service says of the model; the error in its place."""
        return self._call("GET", f"/v2/models/{self._name}", None)

    def predict(self, body: bytes, version: int) -> "_Answer":
        """Ask about one row."""
        began = time.perf_counter()
        answer = self._call("POST", f"/v1/pipelines/{self._name}/predict", body)
        seconds = time.perf_counter() - began
        right = answer.get("model_version") == version and len(answer["predictions"]) == 1
        return _Answer(seconds, "" if right else f"no prediction of version {version}: {str(answer)[:300]}")

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _call(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        try:
            self._http.request(method, path, body, self._headers)
            answer = json.loads(self._http.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._http.close()  # the next call opens another one
            return {"error": f"{type(error).__name__}: {error}"}
        return answer if isinstance(answer, dict) else {"error": answer}


def _bodies(pipeline: Pipeline, window: Window, settings: Settings, *, names: list[str], rows: int) -> list[bytes]:
    """The requests; each says which row it is about by the pipeline's own key."""
    # pandas and Feast: seconds that a person would wait for the first line.
    from airloop.features import examples
    from airloop.serving.inputs import read_inputs

    def first(table: Any) -> Any:
        key = pipeline.prediction.entity_key
        return table.sort_by([("decision_time", "ascending"), (key, "ascending")]).slice(0, rows)

    frame = examples.feature_frame(pipeline, window, settings, with_labels=False, keep=first)
    features = [item for item in read_inputs(pipeline, list(frame.columns), settings).features if item.name in names]
    columns = {name: frame[name].tolist() for item in features for name in item.columns}
    keys, instants = frame[pipeline.prediction.entity_key].tolist(), frame["decision_time"].tolist()
    return [
        json.dumps(
            {
                "entity": {pipeline.prediction.entity_key: key},
                "features": {
                    item.name: _value(item.kind, [columns[name][at] for name in item.columns]) for item in features
                },
                "as_of": instant.isoformat(),
            }
        ).encode()
        for at, (key, instant) in enumerate(zip(keys, instants, strict=True))
    ]


def _value(kind: str, values: list[Any]) -> Any:
    """A feature as a request sends it; what is missing is null."""
    convert = {"text": str, "flag": bool}.get(kind, float)
    sent = [
        None if value is None or (isinstance(value, float) and math.isnan(value)) else convert(value)
        for value in values
    ]
    return sent if kind == "array" else sent[0]


def _milliseconds(seconds: list[float], share: float) -> float:
    return round(seconds[min(len(seconds) - 1, int(len(seconds) * share))] * 1000, 2) if seconds else 0.0
