"""Files that are not there, not whole, sent again, or another file's."""

from datetime import date, timedelta

import polars as pl

from nycflights import NycFlights

from .fault import planted
from .landed import Landed, instant, one_in


@planted(
    "the same weather file every day",
    how="first day's bytes under each name",
    before="29 set aside; triage retrain",
    says=r"repeats the file of|set aside",
)
def same_weather_every_day(files: Landed) -> None:
    first = files.file("weather", 1).read_bytes()
    files.rewrite_bytes("weather", lambda _content: first)


@planted(
    "one departures file missing",
    how="the file of the 10th is not there",
    before="a row-count warning",
    says=r"2013-04-10",
)
def one_departures_file_missing(files: Landed) -> None:
    files.remove("departures", [10])


@planted("one weather file missing", how="the file of the 10th is not there", before="silent", says=r"2013-04-10")
def one_weather_file_missing(files: Landed) -> None:
    files.remove("weather", [10])


@planted("one schedule file missing", how="the file of the 10th is not there", says=r"2013-04-10")
def one_schedule_file_missing(files: Landed) -> None:
    files.remove("schedule", [10])


@planted(
    "five departures files missing",
    how="the files of the 10th to the 14th",
    before="a row-count warning",
    says=r"2013-04-1[0-4]",
)
def five_departures_files_missing(files: Landed) -> None:
    files.remove("departures", range(10, 15))


@planted("30 % of departures lost", how="rows dropped at random", before="a row-count warning", says=r"departures")
def departures_lost(files: Landed) -> None:
    files.rewrite("departures", lambda rows: rows.filter(~one_in(0.3)))


@planted("departures of one airport missing", how="no departures from LGA", says=r"departures")
def departures_of_one_airport_missing(files: Landed) -> None:
    files.rewrite("departures", lambda rows: rows.filter(~pl.col("flight_id").str.contains("-LGA-")))


@planted("weather of one airport missing", how="no rows of LGA", says=r"weather|origin")
def weather_of_one_airport_missing(files: Landed) -> None:
    files.rewrite("weather", lambda rows: rows.filter(pl.col("origin") != "LGA"))


@planted("half of the weather missing", how="half of the rows dropped at random", says=r"weather")
def half_of_weather_missing(files: Landed) -> None:
    files.rewrite("weather", lambda rows: rows.filter(~one_in(0.5)))


@planted(
    "a day's rows under the next day's name",
    how="the departures of the 10th copied to the 11th",
    before="1 file set aside and a warning",
    says=r"2013-04-11",
)
def day_under_the_next_days_name(files: Landed) -> None:
    files.file("departures", 11).write_bytes(files.file("departures", 10).read_bytes())


@planted(
    "the word NA for every temperature",
    how="weather.temp is NA",
    before="all files set aside, window passes with 94 % of weather missing; silent in triage",
    says=r"temp",
)
def na_for_every_temperature(files: Landed) -> None:
    files.edit("weather", temp=pl.lit("NA"))


@planted("a file cut in a line", how="half of the departures of the 10th", says=r"2013-04-10")
def departures_cut_in_a_line(files: Landed) -> None:
    path = files.file("departures", 10)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 7])


@planted("an empty file", how="the departures of the 10th hold no byte", says=r"2013-04-10")
def departures_file_empty(files: Landed) -> None:
    files.file("departures", 10).write_bytes(b"")


@planted("a header without rows", how="the departures of the 10th hold their first line", says=r"2013-04-10")
def departures_header_only(files: Landed) -> None:
    path = files.file("departures", 10)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


@planted("headers without rows", how="every departures file holds its first line", says=r"departures")
def departures_all_header_only(files: Landed) -> None:
    files.rewrite_bytes("departures", lambda content: content.splitlines(keepends=True)[0])


@planted("a header renamed", how="weather.temp is called temperature", says=r"temp")
def header_renamed(files: Landed) -> None:
    files.rewrite_bytes("weather", lambda content: content.replace(b"temp,", b"temperature,", 1))


@planted("JSON lines", how="weather, a JSON object a line", says=r"it is JSON")
def json_lines(files: Landed) -> None:
    files.rewrite_bytes("weather", lambda content: pl.read_csv(content, infer_schema=False).write_ndjson().encode())


@planted("a title above the header", how="weather begins with a line for readers", says=r"the header stands in line 2")
def title_above_the_header(files: Landed) -> None:
    files.rewrite_bytes("weather", lambda content: b"Weather of New York\n" + content)


@planted("a column added", how="departures.gate, which no one declared", says=r"gate")
def column_added(files: Landed) -> None:
    files.edit("departures", gate=pl.lit("B7"))


@planted("a column dropped", how="weather.pressure is not there", says=r"pressure")
def column_dropped(files: Landed) -> None:
    files.rewrite("weather", lambda rows: rows.drop("pressure"))


@planted("semicolons and decimal commas", how="weather as another locale writes it", says=r"weather")
def decimal_commas(files: Landed) -> None:
    # As a system of another locale writes it: semicolons between, a comma in the number.
    files.rewrite_bytes("weather", lambda content: content.replace(b",", b";").replace(b".", b","))


@planted("decimal commas in quotes", how='weather.temp as "33,08"', says=r"temp")
def decimal_commas_quoted(files: Landed) -> None:
    files.edit("weather", temp=pl.col("temp").str.replace(".", ",", literal=True))


@planted("every flight twice under two keys", how="a second schedule row with another flight_id", says=r"schedule")
def schedule_rows_with_other_keys(files: Landed) -> None:
    def doubled(rows: pl.DataFrame) -> pl.DataFrame:
        again = rows.with_columns(pl.col("flight_id") + "-B")
        return pl.concat([rows, again])

    files.rewrite("schedule", doubled)


@planted(
    "keys numbered in each file", how="departures.flight_id is 1, 2, 3, ... in every file", says=r"departures|flight_id"
)
def keys_numbered_per_file(files: Landed) -> None:
    for path in files.files("departures"):
        rows = pl.read_csv(path, infer_schema=False)
        numbered = rows.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.String).alias("flight_id"))
        path.write_text(numbered.write_csv())


@planted("only the month's last weather file", how="the files of the 1st to the 29th are not there", says=r"weather")
def all_under_one_name(files: Landed) -> None:
    # The writer forgot the day in the name: the month's last file is all there is.
    files.remove("weather", range(1, 30))


@planted("weather in UTF-16", how="files encoded as UTF-16", says=r"weather")
def utf16(files: Landed) -> None:
    files.rewrite_bytes("weather", lambda content: content.decode().encode("utf-16"))


@planted(
    "invisible blanks in keys", how="departures.flight_id with a no-break space behind it", says=r"departures|flight_id"
)
def blanks_in_keys(files: Landed) -> None:
    files.edit("departures", flight_id=pl.col("flight_id") + "\u00a0")


@planted(
    "old weather under new dates",
    how="the weather of three weeks before, its instants moved to the day of the file",
    says=r"repeated_days weather",
)
def old_weather_under_new_dates(files: Landed) -> None:
    # Not further back: before the 11th of March New York's days lie an hour later in UTC.
    upstream, moved = NycFlights(), timedelta(weeks=3)
    for path in files.files("weather"):
        rows = upstream.files("weather")[date.fromisoformat(path.stem) - moved]
        later = rows.with_columns(pl.col("observed_at") + moved)
        path.write_text(later.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ"))


@planted(
    "weather of the noon missing",
    how="no rows of 12:00 to 14:59 in New York",
    says=r"incomplete weather .*12:00",
)
def weather_of_the_noon_missing(files: Landed) -> None:
    hour = instant("observed_at").dt.convert_time_zone("America/New_York").dt.hour()
    files.rewrite("weather", lambda rows: rows.filter(~hour.is_between(12, 14)))
