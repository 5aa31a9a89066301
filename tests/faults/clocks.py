"""Instants written by another clock, in another form, or cut."""

import polars as pl

from .fault import planted
from .landed import Landed, instant, new_york, written


@planted(
    "departed_at local, written as UTC",
    how="New York clock with a Z",
    before="57 rows quarantined, live ROC-AUC rises to .782; triage nothing",
    says=r"departed_at looks like local time",
)
def departures_local_as_utc(files: Landed) -> None:
    files.edit("departures", departed_at=new_york("departed_at"))


@planted(
    "schedule local as UTC",
    how="scheduled_departure and scheduled_arrival",
    before=".649; triage retrain",
    says=r"scheduled_departure looks like local time",
)
def schedule_local_as_utc(files: Landed) -> None:
    files.edit("schedule", **{name: new_york(name) for name in ("scheduled_departure", "scheduled_arrival")})


@planted(
    "weather clock local as UTC",
    how="observed_at",
    before="30 of 30 files set aside, window passes with warnings; triage retrain",
    says=r"observed_at looks like local time",
)
def weather_local_as_utc(files: Landed) -> None:
    files.edit("weather", observed_at=new_york("observed_at"))


@planted(
    "arrivals five hours early",
    how="arrived_at - 5 h",
    says=r"arrived_at",
    outcomes_only=True,
)
def arrivals_five_hours_early(files: Landed) -> None:
    files.edit("arrivals", arrived_at=written(instant("arrived_at").dt.offset_by("-5h")))


@planted("departures one day late", how="departed_at + 1 day", says=r"departed_at")
def departures_one_day_late(files: Landed) -> None:
    files.edit("departures", departed_at=written(instant("departed_at").dt.offset_by("1d")))


@planted("weather in milliseconds", how="observed_at as milliseconds since 1970", says=r"observed_at")
def weather_in_milliseconds(files: Landed) -> None:
    files.edit("weather", observed_at=instant("observed_at").dt.timestamp("ms").cast(pl.String))


@planted("departures cut to the hour", how="minutes of departed_at are 0", says=r"departed_at")
def departures_cut_to_the_hour(files: Landed) -> None:
    files.edit("departures", departed_at=written(instant("departed_at").dt.truncate("1h")))


@planted("departures cut to the day", how="departed_at is its New York midnight", says=r"departed_at")
def departures_cut_to_the_day(files: Landed) -> None:
    day = instant("departed_at").dt.convert_time_zone("America/New_York").dt.truncate("1d")
    files.edit("departures", departed_at=written(day.dt.convert_time_zone("UTC")))


@planted("schedule of the next year", how="2014 for 2013 in all its instants", says=r"schedule")
def schedule_of_next_year(files: Landed) -> None:
    names = ("scheduled_departure", "scheduled_arrival", "effective_at")
    files.edit("schedule", **{name: pl.col(name).str.replace("2013", "2014") for name in names})


@planted(
    "arrivals planned one day early",
    how="scheduled_arrival - 1 day",
    says=r"scheduled_arrival",
)
def arrivals_planned_one_day_early(files: Landed) -> None:
    files.edit("schedule", scheduled_arrival=written(instant("scheduled_arrival").dt.offset_by("-1d")))


@planted("departures from the future", how="departed_at + 30 days in 2 % of the rows", says=r"departed_at")
def departures_from_the_future(files: Landed) -> None:
    later = written(instant("departed_at").dt.offset_by("30d"))
    some = pl.int_range(pl.len()) % 50 == 0
    files.edit("departures", departed_at=pl.when(some).then(later).otherwise("departed_at"))


@planted("timetable five minutes late", how="effective_at + 5 min", says=r"clock_change schedule\.effective_at")
def timetable_five_minutes_late(files: Landed) -> None:
    files.edit("schedule", effective_at=written(instant("effective_at").dt.offset_by("5m")))


@planted(
    "schedule five minutes late", how="scheduled_departure + 5 min", says=r"clock_change schedule\.scheduled_departure"
)
def schedule_five_minutes_late(files: Landed) -> None:
    files.edit("schedule", scheduled_departure=written(instant("scheduled_departure").dt.offset_by("5m")))
