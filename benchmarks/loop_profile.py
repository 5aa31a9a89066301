"""Where the time of the orchestrated loop went: in tasks, by stage, and between tasks; beside the plain script's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airloop.run.stages import STAGES

_OTHERS = "no stage"


@dataclass
class StageSeconds:
    """Calls or tasks by stage, and the seconds they took; those that ran side by side count each."""

    calls: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """Count one more."""
        self.calls[stage] = self.calls.get(stage, 0) + 1
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @property
    def in_stages(self) -> float:
        """Seconds of everything that is a stage."""
        return sum(seconds for stage, seconds in self.seconds.items() if stage != _OTHERS)


@dataclass(frozen=True)
class LoopProfile:
    """Seconds of one orchestrated loop.

    Attributes:
        tasks: From the start of a task's process to its end; one that only asks, branches or triggers is not a stage.
        none_ran: Of the loop, with no task running: the scheduler, REST calls, files that land.
    """

    tasks: StageSeconds
    none_ran: float

    def lines(self, plain: StageSeconds) -> Iterator[str]:
        """A line per stage, those that cost most first."""
        for stage in sorted(self.tasks.seconds, key=lambda name: -self.tasks.seconds[name]):
            calls, seconds = self.tasks.calls[stage], self.tasks.seconds[stage]
            by_hand = f"{plain.calls[stage]:3} calls {plain.seconds[stage]:6.1f} s" if stage in plain.calls else ""
            yield f"{stage:18}{calls:3} tasks {seconds:6.1f} s   {by_hand}".rstrip()
        yield f"{'no task ran':18}{self.none_ran:16.1f} s"


def profile_of(tasks: Iterable[Mapping[str, Any]], seconds: float) -> LoopProfile:
    """The profile of task instances with task_id, start_date, end_date; those that never ran do not count."""
    ran = [(task["task_id"], *_span(task)) for task in tasks if task["start_date"] and task["end_date"]]
    by_stage = StageSeconds()
    for name, start, end in ran:
        by_stage.add(name if name in STAGES else _OTHERS, (end - start).total_seconds())
    return LoopProfile(by_stage, none_ran=seconds - _covered((start, end) for _, start, end in ran))


def _span(task: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(task["start_date"]), datetime.fromisoformat(task["end_date"])


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> float:
    """Seconds that lie in at least one span."""
    total, until = 0.0, None
    for start, end in sorted(spans):
        begin = start if until is None else max(start, until)
        if end > begin:
            total += (end - begin).total_seconds()
            until = end
    return total
