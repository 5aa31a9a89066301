"""Which data runs the inbox starts: windows that wait at this bell and follow each other are one run.

Nothing waits for a run to become longer: a window that is alone is started alone. Each window is read and checked as if
it were alone; their features are computed at once, so that the lookback is read once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from airloop.config import Pipeline
from airloop.config.calendar import is_finer, longest_joined, may_join, period_start, spanned, stretches
from airloop.config.dag_ids import dag_of
from airloop.data import arrivals, inbox, inbox_starts
from airloop.data.inbox import Waiting
from airloop.data.inbox_starts import Start
from airloop.errors import DataContractError, GuardRefused
from airloop.records import Window
from airloop.records.digests import digest
from airloop.settings import Settings
from airloop.stores import landed_files, ledger

# What one inbox run may start: below Airflow's max_map_length (1024).
MOST_RUNS = 1000


@dataclass(frozen=True)
class WaitingRun:
    """A data run that the inbox asks for; the same reason gives the same `run_id`, so it is started once.

    Attributes:
        over: A window of the calendar, or several that follow each other.
        digest: The reasons of all its windows.
    """

    over: Window
    digest: str

    @property
    def run_id(self) -> str:
        """Run id of the data run; see inbox.run_id."""
        return inbox.run_id(self.over, self.digest)


def waiting_runs(pipeline: Pipeline, settings: Settings, *, now: datetime) -> tuple[WaitingRun, ...]:
    """The data runs for all that waits, oldest first; what they are is put on record before any is started.

    Windows that follow each other are joined up to the next look of monitoring, as nothing is decided in between;
    where no version is in force at their start, so that no look judges anything, up to the end of the week (hours) or
    month (days, weeks). A window whose files may still come (`lateness_hours`) stays alone: the others do not wait for
    it. A window that was started before, for the same files, stays in that run, whatever waits beside it now.

    Args:
        now: Until when files that come late are awaited is compared with it.

    Raises:
        DataContractError: There are more than MOST_RUNS; the message says what to do.
        UpstreamUnavailable: Landing folder or state database do not answer.
    """
    waiting = {item.window: item for item in inbox.waiting_windows(pipeline, settings)}
    if not waiting:
        return ()
    starts = inbox_starts.read(pipeline.name, spanned(list(waiting)), settings)
    runs: dict[WaitingRun, None] = {}
    new: list[Window] = []
    for window, item in waiting.items():
        start = starts.get(window)
        if start is not None and _is_of(item, start):
            runs[WaitingRun(start.over, start.digest)] = None
        else:
            new.append(window)
    started: dict[Window, Start] = {}
    for windows in stretches(new, _part(pipeline, new, settings, now)):
        reasons = [waiting[window].digest for window in windows]
        run = WaitingRun(spanned(windows), reasons[0] if len(reasons) == 1 else digest(reasons))
        runs[run] = None
        for window in windows:
            item = waiting[window]
            started[window] = Start(item.files, item.ingested, run.over, run.digest)
    _refuse_flood(pipeline, tuple(runs))
    inbox_starts.remember(pipeline.name, started, settings)
    return tuple(sorted(runs, key=lambda run: (run.over.start, run.over.end)))


def _is_of(item: Waiting, start: Start) -> bool:
    """Whether a window waits for what it was started for.

    One that follows another was built from the same files then, whatever was made of them since.
    """
    return item.files == start.files and (item.follows or item.ingested == start.ingested)


def _part(
    pipeline: Pipeline, windows: Sequence[Window], settings: Settings, now: datetime
) -> Callable[[Window], object]:
    """What windows that are one run have in common."""
    if len(windows) == 1 or not may_join(pipeline.calendar):
        return lambda window: window
    longest, look = longest_joined(pipeline.calendar), pipeline.calendar_of("monitoring")
    shorter = look if is_finer(look, longest) else longest
    in_force, awaited = _in_force(pipeline, windows, settings), _awaited(pipeline, windows, settings, now)

    def part(window: Window) -> object:
        if window in awaited:
            return window
        every = shorter if in_force[window] else longest
        return every, period_start(every, window.start)

    return part


def _in_force(pipeline: Pipeline, windows: Sequence[Window], settings: Settings) -> Mapping[Window, bool]:
    """Whether a version was in force when each window began; of a ledger that does not verify it may have been."""
    try:
        history = ledger.intact_history(settings, pipeline.name)
    except GuardRefused:
        return dict.fromkeys(windows, True)
    return {window: history.champion(window.start) is not None for window in windows}


def _awaited(pipeline: Pipeline, windows: Sequence[Window], settings: Settings, now: datetime) -> frozenset[Window]:
    """The windows whose run waits for files."""
    files, waits = landed_files.list_files(pipeline, settings), set[Window]()
    # From the newest on: where all of a window is there, so it is of those before it.
    for window in reversed(windows):
        if all(item.until <= now for item in arrivals.awaited(pipeline, window, settings, files=files)):
            break
        waits.add(window)
    return frozenset(waits)


def _refuse_flood(pipeline: Pipeline, runs: Sequence[WaitingRun]) -> None:
    if len(runs) > MOST_RUNS:
        raise DataContractError(
            f"{len(runs)} data runs of {pipeline.name} wait, {runs[0].over} to {runs[-1].over}, and one run of the "
            f"inbox starts at most {MOST_RUNS}: start a backfill of {dag_of(pipeline.name, 'data')} over them"
        )
