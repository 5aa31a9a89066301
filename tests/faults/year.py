"""The twelve real months, as the demo takes them: what was promoted, and every alarm where nothing is wrong."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from airloop import alarms, ledger
from airloop.errors import AirloopError
from airloop.records import Action

from .stand import Loop, Stand, month

MOST_ALARMS = 1
PROMOTED, REFUSED = (1, 2, 4, 5), (3,)


@dataclass(frozen=True)
class Year:
    """What the year left.

    Attributes:
        alarms: `YYYY-MM stage kind of subject: sentence` of each, oldest first.
        actions: What triage decided, March to December.
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
        if (self.promoted, self.refused) != (PROMOTED, REFUSED):
            return f"promoted {self.promoted} and refused {self.refused}, in the demo {PROMOTED} and {REFUSED}"
        return ""


def live_through(stand: Stand, folder: Path) -> Year:
    """April to December after the stand's quarter, with every training and promotion that is asked for."""
    stand.copy("quarter", folder / "home")
    # Its trainings register versions, which the faults' homes must not see.
    shutil.copy(stand.root / "quarter" / "mlflow.db", folder / "home")
    models = {"mlflow_tracking_uri": f"sqlite:///{folder}/home/mlflow.db"}
    loop = Loop(stand.settings_at(folder / "home").model_copy(update=models))
    actions: list[str] = []
    stopped = ""
    try:
        for number in range(4, 13):
            actions.append(_take(loop, number, first_quiet="nothing" not in actions))
    except AirloopError as error:
        stopped = str(error)
    return _left(loop, tuple(actions), stopped)


def _left(loop: Loop, actions: tuple[str, ...], stopped: str) -> Year:
    noticed = [
        f"{item.window.start:%Y-%m} {item.stage} {item.alarm.kind} of {item.alarm.subject}: {item.alarm.says}"
        for item in alarms.raised(loop.pipeline, loop.settings)
    ]
    entries = ledger.entries(loop.settings, loop.pipeline.name)
    promoted = tuple(int(entry.payload["version"]) for entry in entries if entry.kind == "done")
    refused = tuple(
        int(entry.payload["version"])
        for entry in entries
        if entry.kind == "decision" and entry.payload["outcome"] == "refused"
    )
    return Year(tuple(noticed), actions, promoted, refused, stopped)


def _take(loop: Loop, number: int, *, first_quiet: bool) -> str:
    """What triage says to a month; in the first one in which nothing is asked for, a person insists on a training."""
    window = month(number)
    loop.land(loop.inputs, until=window.end + timedelta(days=2))
    loop.data(window)
    loop.run("score", window)
    loop.land(["arrivals"], until=window.end)
    loop.data(month(number - 1))
    loop.data(window)
    loop.run("monitor", window)
    action = loop.run("triage", window)
    if not isinstance(action, Action):
        raise TypeError(action)
    if action.kind == "retrain":
        loop.train(window.end, reason="probe", reason_key=action.reason_key)
    elif action.kind == "nothing" and first_quiet:
        loop.train(window.end, reason="hand", reason_key=f"by hand {window.end:%Y-%m-%d}")
    return action.kind
