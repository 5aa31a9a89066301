"""All declared streams of an installation in one process: a thread each, begun again when its declaration changes."""

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from airloop.config import load_pipeline, pipeline_names
from airloop.errors import AirloopError
from airloop.settings import Settings
from airloop.sources.streams.declared import Stream, open_broker, streams

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
ALIVE_SECONDS = 20.0
"""A service whose sign of life is older is not healthy."""


def declared_streams(settings: Settings, pipeline: str | None = None) -> list[Stream]:
    """Every stream of the pipelines that can be read; what is wrong with another one is its own."""
    declared: list[Stream] = []
    for name in [pipeline] if pipeline else pipeline_names(settings):
        try:
            declared += streams(load_pipeline(name, settings))
        except AirloopError as error:
            logger.warning("%s: its streams are not consumed: %s", name, error)
    return declared


def sign_of_life(settings: Settings) -> Path:
    """The file that a running service touches."""
    return settings.home / "run" / "streams.alive"


def is_alive(settings: Settings) -> bool:
    """Whether a service consumes here."""
    try:
        return time.time() - sign_of_life(settings).stat().st_mtime < ALIVE_SECONDS
    except OSError:
        return False


@dataclass
class _Running:
    thread: threading.Thread
    stop: threading.Event
    digest: str


@dataclass
class Service:
    """The consumers.

    Attributes:
        pipeline: Only this one's streams; None for all.
    """

    settings: Settings
    pipeline: str | None = None
    _running: dict[tuple[str, str], _Running] = field(default_factory=dict)

    def run(self, stopped: Callable[[], bool]) -> None:
        """Consume until `stopped`; events that are read and not landed stay at their broker."""
        looked = -_LOOK_SECONDS
        alive = sign_of_life(self.settings)
        alive.parent.mkdir(parents=True, exist_ok=True)
        try:
            while not stopped():
                if time.monotonic() - looked >= _LOOK_SECONDS:
                    self.look()
                    looked = time.monotonic()
                alive.touch(mode=0o600)
                time.sleep(0.2)
        finally:
            self._stop(list(self._running))
            alive.unlink(missing_ok=True)

    def look(self) -> None:
        """Start what is declared and does not run, stop what is not declared any more or differently."""
        declared = {
            (one.pipeline.name, one.feed): (one, _digest(one, self.settings))
            for one in declared_streams(self.settings, self.pipeline)
        }
        self._stop(
            [key for key, running in self._running.items() if key not in declared or declared[key][1] != running.digest]
        )
        for key, (stream, digest) in declared.items():
            if key not in self._running:
                stop = threading.Event()
                thread = threading.Thread(target=consume, args=(stream, self.settings, stop.is_set), name=stream.label)
                self._running[key] = _Running(thread, stop, digest)
                thread.start()

    def _stop(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            self._running[key].stop.set()
        for key in keys:
            self._running.pop(key).thread.join()


def consume(stream: Stream, settings: Settings, stopped: Callable[[], bool]) -> None:
    """Consume one stream until `stopped`; whatever does not answer is asked again, after 1 to 30 seconds."""
    # Here, because every command asks whether a stream is declared, and this one takes Feast's seconds.
    from airloop.sources.streams.consumer import Consumer

    pause = 1.0
    while not stopped():
        consumer = None
        try:
            consumer = Consumer(stream, open_broker(stream, settings), settings)
            logger.info("%s: consuming %s", stream.label, stream.name)
            while not stopped():
                consumer.step()
                pause = 1.0
                if not consumer.holds:
                    _wait(pause, stopped)
        except AirloopError as error:
            logger.warning("%s: %s; asked again in %.0f s", stream.label, error, pause)
        except Exception:
            # One stream's surprise must not end the others.
            logger.exception("%s: begun again in %.0f s", stream.label, pause)
        finally:
            if consumer is not None:
                consumer.close()
        _wait(pause, stopped)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _wait(seconds: float, stopped: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stopped():
        time.sleep(0.1)


def _digest(stream: Stream, settings: Settings) -> str:
    """Changes with whatever the consumer was made of."""
    name = stream.pipeline.name
    folder = settings.pipelines_dir / name
    files = (folder / "features.sql", folder / "expectations.yaml", settings.feature_repo_dir / f"{name}.py")
    texts = [path.read_text() if path.is_file() else "" for path in files]
    return hashlib.sha256(json.dumps([stream.pipeline.model_dump_json(), *texts, os.getpid()]).encode()).hexdigest()
