"""The calendar of a pipeline: one partition a period, for the periods wholly inside its coverage, and then no more.

A DAG's start_date and end_date would bound it too, but a run by hand whose logical date lies outside them gets no tasks
from Airflow 3.3 and ends as a success that did nothing. Here such a run has its tasks, and they refuse it.
"""

import functools
from datetime import datetime
from typing import Any

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.timezone import coerce_datetime
from airflow.timetables.base import DagRunInfo, TimeRestriction
from airflow.timetables.trigger import CronPartitionTimetable


class CoverageCalendar(CronPartitionTimetable):
    """A period's run starts at its end; the partition key is its start, like 2013-01-01T00:00:00 (UTC).

    Partitioned and not a data interval: the UI's form then asks for a partition key instead of proposing today.

    Args:
        first: Earliest tick: the end of the first period inside the coverage.
        last: Ticks after it never come; None goes on for ever.
    """

    def __init__(self, cron: str, *, first: datetime, last: datetime | None) -> None:
        super().__init__(cron, timezone="UTC", run_offset=-1)
        self.first, self.last = first, last

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Airflow's own answer, within the coverage instead of the DAG's dates."""
        within = restriction._replace(earliest=coerce_datetime(self.first), latest=coerce_datetime(self.last))
        return super().next_dagrun_info_v2(last_dagrun_info=last_dagrun_info, restriction=within)

    def __eq__(self, other: object) -> bool:
        """Whether it ticks alike. Airflow's own asks what kind of thing the other is, at length, four times a DAG."""
        return isinstance(other, CoverageCalendar) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        """Of its ticks."""
        return hash((self._expression, self.first, self.last))

    def validate(self) -> None:
        """Check the cron expression, once in a process; raises AirflowTimetableInvalid."""
        _validate(self._expression)

    def serialize(self) -> dict[str, Any]:
        """What the scheduler reads; the DAG file is not there."""
        last = self.last.isoformat() if self.last else None
        return {"cron": self._expression, "first": self.first.isoformat(), "last": last}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "CoverageCalendar":
        """The inverse of `serialize`."""
        last = datetime.fromisoformat(data["last"]) if data["last"] else None
        return cls(data["cron"], first=datetime.fromisoformat(data["first"]), last=last)


@functools.cache
def _validate(cron: str) -> None:
    CronPartitionTimetable(cron, timezone="UTC").validate()


class CoverageCalendarPlugin(AirflowPlugin):
    """Lets the scheduler read the calendars of the DAGs."""

    name = "airloop_coverage_calendar"
    timetables = [CoverageCalendar]
