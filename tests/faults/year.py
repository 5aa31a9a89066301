"""The twelve real months, as the demo takes them: what was promoted, and every alarm where nothing is wrong."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from airloop.errors import AirloopError
from airloop.records import Action
from airloop.stores import ledger

from .stand import Loop, Stand, month

MOST_ALARMS = 1
PROMOTED, REFUSED = (2, 5, 7), (3,)  # each that passed goes into force as its refit, the version after it


@dataclass(frozen=True)
class Year:
    """What the year left.

    Attributes:
        alarms: `YYYY-MM stage kind: sentence` of each, in the order in which they rang.
        actions: What triage decided, April to December; empty where only the data were asked.
        promoted: Versions in the order of their promotion; `refused` likewise.
        stopped: What a stage refused, and with it the rest of the year; empty when none did.
    """

    alarms: tuple[str, ...]
    actions: tuple[str, ...]
    promoted: tuple[int, ...]
    refused: tuple[int, ...]
    stopped: str = ""

    @property
    def wrong(self) -> str:
        """Why this is not the year of the demo; empty when it is."""
        if self.stopped:
            return f"stopped: {self.stopped}"
        if len(self.alarms) > MOST_ALARMS:
            return f"{len(self.alarms)} alarms where nothing is wrong, at most {MOST_ALARMS}"
        if self.actions and (self.promoted, self.refused) != (PROMOTED, REFUSED):
            return f"promoted {self.promoted} and refused {self.refused}, in the demo {PROMOTED} and {REFUSED}"
        return ""


def live_through(stand: Stand, folder: Path) -> Year:
    """April to December after the stand's quarter, with every training and promotion that is asked for."""
    stand.copy("quarter", folder / "home")
    settings = stand.settings_at(folder / "home")
    if not stand.data_only:
        # Its trainings register versions, which the faults' homes must not see.
        shutil.copy(stand.root / "quarter" / "mlflow.db", folder / "home")
        settings = settings.model_copy(update={"mlflow_tracking_uri": f"sqlite:///{folder}/home/mlflow.db"})
    loop = Loop(settings)
    actions: list[str] = []
    stopped = ""
    try:
        for number in range(4, 13):
            loop.land(loop.inputs, until=month(number).end + timedelta(days=2))
            loop.data(month(number))
            if stand.data_only:
                _land_outcomes(loop, number)
            else:
                actions.append(_judge(loop, number))
    except AirloopError as error:
        stopped = str(error)
    return _left(loop, tuple(actions), stopped)


def _left(loop: Loop, actions: tuple[str, ...], stopped: str) -> Year:
    entries = ledger.entries(loop.settings, loop.pipeline.name)
    # Of the ledger, not of the records: one that closed when the outcomes landed has rung all the same.
    rung = [entry.payload for entry in entries if entry.kind == "alarm"]
    noticed = [f"{item['window']['start'][:7]} {item['stage']} {item['kind']}: {item['why']}" for item in rung]
    promoted = tuple(int(entry.payload["version"]) for entry in entries if entry.kind == "done")
    refused = tuple(
        int(entry.payload["version"])
        for entry in entries
        if entry.kind == "decision" and entry.payload["outcome"] == "refused"
    )
    return Year(tuple(noticed), actions, promoted, refused, stopped)


def _judge(loop: Loop, number: int) -> str:
    """What triage says to a month, and the training that it asks for."""
    window = month(number)
    loop.run("score", window)
    _land_outcomes(loop, number)
    loop.run("monitor", window)
    action = loop.run("triage", window)
    if not isinstance(action, Action):
        raise TypeError(action)
    if action.kind == "retrain":
        loop.train(window.end, reason="probe", reason_key=action.reason_key)
    return action.kind


def _land_outcomes(loop: Loop, number: int) -> None:
    """Outcomes of a month, and of the evening before it, whose month is built again."""
    loop.land(["arrivals"], until=month(number).end)
    loop.data(month(number - 1))
    loop.data(month(number))
