"""What one process of the service holds: who answers, the log, the keys, the figures."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airloop.config import load_pipeline, pipeline_names
from airloop.config.nearest import nearest
from airloop.errors import AirloopError
from airloop.serving import feedback_files
from airloop.serving.api.metrics import Metrics
from airloop.serving.beside import Beside
from airloop.serving.champions import VERIFY_SECONDS, Champions
from airloop.serving.follower import Follower
from airloop.serving.prediction_log import PredictionLog
from airloop.serving.refused import Refused
from airloop.settings import Settings
from airloop.stores import api_keys
from airloop.stores.api_keys import ApiKey

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

logger = logging.getLogger(__name__)

OPEN = "open"
_ASK_AGAIN_SECONDS = 0.05
# Each landed file has its window built again: outcomes of a minute land together.
_LAND_SECONDS = 60.0


@dataclass
class Service:
    """One process.

    Attributes:
        open_to_all: No key is asked for; only for a service that nobody else can reach.
    """

    settings: Settings
    open_to_all: bool = False
    champions: Champions = field(init=False)
    log: PredictionLog = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)
    _keys: Mapping[str, ApiKey] = field(default_factory=dict)
    _keys_read: float = 0.0
    _keys_lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.champions = Champions(self.settings)
        self.log = PredictionLog(self.settings)
        self._follower = Follower(self._look)
        self._lander = Follower(self.land_feedback, _LAND_SECONDS)
        self._verifier = Follower(self.champions.verify, VERIFY_SECONDS)

    def start(self) -> None:
        """Begin to follow the ledger and to sync the log; requests are answered once `ready`."""
        self.log.start()
        self._follower.start()
        self._lander.start()
        self._verifier.start()

    def close(self) -> None:
        """Sync the log and let go of everything."""
        self._follower.stop()
        self._lander.stop()
        self._verifier.stop()
        self.log.close()

    @property
    def ready(self) -> bool:
        """Whether every pipeline was looked at once: each answers, or says why not."""
        return self.champions.looked

    def served(self, name: str) -> "Served":
        """Who answers for a pipeline.

        Raises:
            Refused: No such pipeline (404, with the nearest), or nobody answers for it (503, with the reason).
        """
        slot = self.champions.slots.get(name)
        if slot is None:
            known = self.champions.slots
            if not self.ready:
                raise Refused(503, "starting", "the service is starting: try again in a few seconds")
            says = f"there is no pipeline {name!r}{nearest(name, known)} (pipelines: {', '.join(known) or 'none'})"
            raise Refused(404, "unknown_pipeline", says, field="pipeline", value=name)
        if slot.served is None:
            raise Refused(503, "no_champion", f"nobody answers for {name}: {slot.problem}")
        return slot.served

    def beside(self, served: "Served") -> Beside | None:
        """The challenger of a version that answers; None where there is none, or another version answers by now."""
        slot = self.champions.slots.get(served.pipeline.name)
        return slot.beside if slot is not None and slot.served is served else None

    def caller(self, key_sent: str, scope: str) -> str:
        """The name and id of a key that may do this.

        Raises:
            Refused: No key, none of ours, one that was revoked (401), or one without the scope (403).
        """
        if self.open_to_all:
            return OPEN
        if not key_sent:
            says = (
                "send an API key: `Authorization: Bearer KEY`; make one by `airloop keys create NAME --scope predict`"
            )
            raise Refused(401, "no_key", says)
        key = self._key(api_keys.id_of(key_sent))
        if key is None or not key.is_key(key_sent) or key.revoked_at:
            raise Refused(401, "unknown_key", "this API key is not known here, or was revoked; see `airloop keys list`")
        if not key.allows(scope):
            says = f"this API key may {' and '.join(key.scopes)}, not {scope}: make one with --scope {scope}"
            raise Refused(403, "wrong_scope", says)
        return f"{key.name} {key.id}"

    def land_feedback(self) -> None:
        """Land the outcomes that wait, of every pipeline."""
        for name in pipeline_names(self.settings):
            try:
                feedback_files.land(load_pipeline(name, self.settings), self.settings)
            except AirloopError as error:
                logger.warning("feedback of %s waits: %s", name, error)

    def _key(self, key_id: str) -> ApiKey | None:
        if key_id and key_id not in self._keys:
            self._read_keys(at_most_every=_ASK_AGAIN_SECONDS)
        return self._keys.get(key_id)

    def _look(self) -> None:
        self._read_keys()
        self.champions.look()

    def _read_keys(self, *, at_most_every: float = 0.0) -> None:
        if self.open_to_all:
            return
        with self._keys_lock:
            if time.monotonic() - self._keys_read < at_most_every:
                return
            try:
                self._keys = {key.id: key for key in api_keys.listed(self.settings)}
            except AirloopError as error:
                logger.warning("API keys cannot be read; those known go on: %s", error)
            self._keys_read = time.monotonic()
