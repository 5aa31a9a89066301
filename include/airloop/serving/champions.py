"""Who answers for each pipeline: the champion in force by the ledger, exchanged while requests go on.

One thread looks every half second at the ledger's newest numbers and at the declarations' files. Where one has changed,
the version in force is loaded beside the one that answers, and one reference is exchanged: a request reads it once, so
no answer is mixed. A version that does not load leaves the old one in place and raises an alarm.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airloop.config import Pipeline, load_pipeline, pipeline_names
from airloop.config.dag_ids import dag_of
from airloop.errors import AirloopError, GuardRefused, UpstreamUnavailable
from airloop.records import Alarm, Window
from airloop.records.digests import digest
from airloop.serving.beside import Beside, challenger, made, wanted
from airloop.serving.in_force import decision_of
from airloop.settings import Settings
from airloop.stores import alarms, ledger, state
from airloop.stores.ledger import Entry, Followed

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.serving.served import Served

logger = logging.getLogger(__name__)

VERIFY_SECONDS = 600.0
STAGE = "serving"
_RETRY_SECONDS = 5.0
_KIND = "champion_does_not_serve"


def _load(pipeline: Pipeline, in_force: Entry, settings: Settings) -> Any:
    from airloop.serving.served import load_served

    return load_served(pipeline, in_force, settings)


@dataclass(frozen=True)
class Slot:
    """One pipeline.

    Attributes:
        served: What answers; None where nothing does.
        problem: Why nothing answers, or why an older version still does; empty when all is well.
        seen: The ledger's head and the declaration's files when this was made.
        retry_at: Monotonic time from which to try again although nothing has changed; 0: never.
        beside: The challenger, where the declaration wants one asked and one waits.
    """

    served: "Served | None"
    problem: str
    seen: tuple[Any, ...]
    retry_at: float = 0.0
    beside: Beside | None = None


@dataclass
class Champions:
    """The slots of all declared pipelines.

    Attributes:
        load: Makes what answers of an entry `done`.
    """

    settings: Settings
    load: Callable[[Pipeline, Entry, Settings], Any] = _load
    slots: Mapping[str, Slot] = field(default_factory=dict)
    looked: bool = False
    problem: str = ""
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _ledgers: dict[str, Followed] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)

    def look(self) -> None:
        """One look at every pipeline; loads what has changed. Errors stay in the slot they belong to."""
        with self._looking:
            self._look()

    def verify(self) -> None:
        """Verify every ledger whole. One that does not verify is refused by the next look, one that does again passes.

        A look verifies what was appended since the one before; what is changed behind that, this finds.
        """
        for name, slot in list(self.slots.items()):
            try:
                problems = ledger.verify(self.settings, name)
            except AirloopError as error:
                logger.warning("the ledger of %s cannot be verified now: %s", name, error)
                continue
            if bool(problems) != (name in self._refused):
                with self._looking:
                    self._ledger(name).forget()
                    self.slots = {**self.slots, name: replace(self.slots.get(name, slot), seen=())}

    def _ledger(self, name: str) -> Followed:
        if name not in self._ledgers:
            self._ledgers[name] = Followed(self.settings, name)
            self._ledgers[name].forget()  # a service that starts looks at everything
        return self._ledgers[name]

    def _look(self) -> None:
        names = pipeline_names(self.settings)
        try:
            heads = ledger.heads(self.settings, names)
        except AirloopError as error:
            self.problem = str(error)
            logger.warning("the ledger cannot be asked; what answers goes on: %s", error)
            return
        self.problem = ""
        if gone := set(self.slots) - set(names):
            self.slots = {name: slot for name, slot in self.slots.items() if name not in gone}
        for name in names:
            stamp, old = (heads[name], *self._files(name)), self.slots.get(name)
            due = old is not None and 0 < old.retry_at <= time.monotonic()
            if old is None or old.seen != stamp or due:
                self._exchange(name, old, stamp)
        self.looked = True

    def _exchange(self, name: str, old: Slot | None, stamp: tuple[Any, ...]) -> None:
        slot = self._slot(name, old, stamp)
        self.slots = {**self.slots, name: slot}  # at once: the champion waits for no challenger
        self.slots = {**self.slots, name: self._with_challenger(name, slot, old)}

    def _with_challenger(self, name: str, slot: Slot, old: Slot | None) -> Slot:
        champion, history = slot.served, self._ledger(name).verified()
        entry = challenger(history) if history else None
        if (
            champion is None
            or slot.problem
            or history is None
            or entry is None
            or not wanted(champion.pipeline.serving)
        ):
            return replace(slot, beside=None)
        before = old.beside.served if old and old.beside and old.seen[1:] == slot.seen[1:] else None
        same = before if before and _same(before, entry, champion.pipeline) else None
        try:
            made_now = made(
                entry, history, champion, lambda: same or self.load(champion.pipeline, entry, self.settings)
            )
        except UpstreamUnavailable as error:
            logger.warning("%s: the challenger is loaded later: %s", name, error)
            return replace(slot, beside=None, retry_at=time.monotonic() + _RETRY_SECONDS)
        return replace(slot, beside=made_now, retry_at=0.0)

    def _slot(self, name: str, old: Slot | None, stamp: tuple[Any, ...]) -> Slot:
        before = old.served if old else None
        self._refused.discard(name)
        try:
            as_it_was = old is not None and not old.problem and old.seen[1:] == stamp[1:]
            pipeline = before.pipeline if before and as_it_was else load_pipeline(name, self.settings)
            in_force = self._ledger(name).intact_history().in_force()
        except GuardRefused as error:
            self._refused.add(name)
            return _failed(before, str(error), stamp, retry=False)
        except AirloopError as error:
            return _failed(before, str(error), stamp, retry=isinstance(error, UpstreamUnavailable))
        if not pipeline.serving.enabled:
            return Slot(None, f"{name}/pipeline.yaml says serving.enabled: false", stamp)
        if in_force is None:
            says = f"{name} has no champion yet: run {dag_of(name, 'training')}, and promote what passes the gate"
            return Slot(None, says, stamp)
        if before and old and _same(before, in_force, pipeline) and old.seen[1:] == stamp[1:] and not old.problem:
            return replace(old, seen=stamp)
        return self._exchanged(pipeline, in_force, before, stamp)

    def _exchanged(self, pipeline: Pipeline, in_force: Entry, before: "Served | None", stamp: tuple[Any, ...]) -> Slot:
        try:
            served = self.load(pipeline, in_force, self.settings)
        except UpstreamUnavailable as error:
            return _failed(before, f"version {in_force.payload['version']}: {error}", stamp, retry=True)
        except Exception as error:  # whatever a model or a store raises: the old one goes on answering
            says = str(error) if isinstance(error, AirloopError) else f"{type(error).__name__}: {error}"
            stays = before is not None and before.version != in_force.payload["version"]
            self._alarm(pipeline, in_force, says, before if stays else None)
            return _failed(before if stays else None, says, stamp, retry=False)
        self._all_clear(pipeline, in_force)
        return Slot(served, "", stamp)

    def _files(self, name: str) -> tuple[Any, ...]:
        folder = self.settings.pipelines_dir / name
        paths = (folder / "pipeline.yaml", folder / "features.sql", folder / "transforms.py")
        return tuple(map(_stamp, (*paths, self.settings.feature_repo_dir / f"{name}.py")))

    def _alarm(self, pipeline: Pipeline, in_force: Entry, why: str, stays: "Served | None") -> None:
        version = in_force.payload["version"]
        instead = f"version {stays.version} goes on answering" if stays else "nobody answers for this pipeline"
        says = (
            f"version {version} is in force since {in_force.effective_at:%Y-%m-%dT%H:%MZ} and cannot be served "
            f"({why}); {instead}. Mend what it says, or promote another version"
        )
        noticed = Alarm(_KIND, f"version {version}", says, observed=float(version), holds_training=False)
        logger.error("%s: %s", pipeline.name, says)
        try:
            window = _moment(in_force)
            if self._record(pipeline, window, [noticed.to_json()]):
                alarms.announce(pipeline, STAGE, window, [noticed], self.settings)
        except AirloopError as error:
            logger.warning("%s: the alarm cannot be written: %s", pipeline.name, error)

    def _all_clear(self, pipeline: Pipeline, in_force: Entry) -> None:
        window = _moment(in_force)
        try:
            if state.latest_records(self.settings, pipeline.name, STAGE, window=window):
                self._record(pipeline, window, [])
        except AirloopError as error:
            logger.warning("%s: the alarm cannot be closed: %s", pipeline.name, error)

    def _record(self, pipeline: Pipeline, window: Window, noticed: list[dict[str, Any]]) -> bool:
        """Make it the newest record of the window; False when it already is."""
        record = {"window": window.to_json(), "alarms": noticed}
        newest = state.latest_records(self.settings, pipeline.name, STAGE, window=window)
        if newest and newest[-1] == record:
            return False
        key = digest([record, len(newest)])
        state.save_record(self.settings, pipeline.name, STAGE, input_key=key, window=window, record=record)
        return True


def _failed(before: "Served | None", says: str, stamp: tuple[Any, ...], *, retry: bool) -> Slot:
    logger.error("%s", says)
    return Slot(before, says, stamp, time.monotonic() + _RETRY_SECONDS if retry else 0.0)


def _same(served: "Served", in_force: Entry, pipeline: Pipeline) -> bool:
    return (served.version, served.decision, served.pipeline) == (
        in_force.payload["version"],
        decision_of(in_force),
        pipeline,
    )


def _moment(entry: Entry) -> Window:
    return Window(entry.effective_at, entry.effective_at + timedelta(microseconds=1))


def _stamp(path: Any) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
