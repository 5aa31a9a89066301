"""Values that fit their type and mean something else: units, signs, codes, constants."""

import polars as pl

from .fault import planted
from .landed import Landed, number, one_in, whole


@planted(
    "departure delay in hours",
    how="departures.departure_delay_minutes / 60, rounded",
    before="passed without a warning; .681 / .215, PSI .482; triage nothing",
    says=r"looks like a unit change",
)
def departure_delay_in_hours(files: Landed) -> None:
    files.edit("departures", departure_delay_minutes=whole(number("departure_delay_minutes") / 60))


@planted(
    "departure delay in seconds",
    how="departure_delay_minutes x 60",
    says=r"departure_delay_minutes",
)
def departure_delay_in_seconds(files: Landed) -> None:
    files.edit("departures", departure_delay_minutes=whole(number("departure_delay_minutes") * 60))


@planted(
    "departure delay never below 0",
    how="departure_delay_minutes < 0 becomes 0",
    says=r"departure_delay_minutes|prediction|delay",
)
def early_departures_as_zero(files: Landed) -> None:
    files.edit("departures", departure_delay_minutes=whole(number("departure_delay_minutes").clip(lower_bound=0)))


@planted(
    "temperature in Celsius",
    how="weather.temp, dewp: (x - 32) / 1.8",
    before="passed without a warning; PSI .244; triage nothing",
    says=r"(?s)temp.*unit change|unit change.*temp",
)
def temperature_in_celsius(files: Landed) -> None:
    files.edit("weather", **{name: ((number(name) - 32) / 1.8).round(2).cast(pl.String) for name in ("temp", "dewp")})


@planted("wind in knots", how="weather.wind_speed x 0.869", says=r"wind_speed")
def wind_in_knots(files: Landed) -> None:
    files.edit("weather", wind_speed=(number("wind_speed") * 0.868976).round(4).cast(pl.String))


@planted("wind in metres per second", how="weather.wind_speed x 0.447", says=r"wind_speed")
def wind_in_metres_per_second(files: Landed) -> None:
    files.edit("weather", wind_speed=(number("wind_speed") * 0.44704).round(4).cast(pl.String))


@planted("pressure in inches of mercury", how="weather.pressure x 0.0295", says=r"pressure")
def pressure_in_inches(files: Landed) -> None:
    files.edit("weather", pressure=(number("pressure") * 0.02953).round(2).cast(pl.String))


@planted("visibility in kilometres", how="weather.visib x 1.609", says=r"visib")
def visibility_in_kilometres(files: Landed) -> None:
    files.edit("weather", visib=(number("visib") * 1.609344).round(2).cast(pl.String))


@planted(
    "miles to kilometres",
    how="schedule.distance_miles x 1.609",
    before="60 rows warned; triage nothing",
    says=r"distance_miles",
)
def miles_to_kilometres(files: Landed) -> None:
    files.edit("schedule", distance_miles=whole(number("distance_miles") * 1.609344))


@planted("kilometres for one carrier", how="distance_miles x 1.609 where carrier is UA", says=r"distance_miles")
def kilometres_for_one_carrier(files: Landed) -> None:
    longer = whole(number("distance_miles") * 1.609344)
    files.edit("schedule", distance_miles=pl.when(pl.col("carrier") == "UA").then(longer).otherwise("distance_miles"))


@planted("new carrier codes for all", how="second character becomes 0", before="passed", says=r"carrier")
def new_carrier_codes(files: Landed) -> None:
    files.edit("schedule", carrier=pl.col("carrier").str.slice(0, 1) + "0")


@planted("carrier codes in lower case", how="schedule.carrier in lower case", says=r"carrier")
def carrier_codes_in_lower_case(files: Landed) -> None:
    files.edit("schedule", carrier=pl.col("carrier").str.to_lowercase())


@planted(
    "tail numbers without their first letter", how="leading N of tailnum removed", says=r"text_shape schedule.tailnum"
)
def tail_numbers_without_their_first_letter(files: Landed) -> None:
    files.edit("schedule", tailnum=pl.col("tailnum").str.strip_prefix("N"))


@planted("origin and destination swapped", how="schedule.origin and dest exchanged", says=r"origin")
def origin_and_destination_swapped(files: Landed) -> None:
    files.edit("schedule", origin=pl.col("dest"), dest=pl.col("origin"))


@planted("temperature constant", how="weather.temp is 50.0 wherever it is measured", says=r"temp")
def temperature_constant(files: Landed) -> None:
    files.edit("weather", temp=pl.when(pl.col("temp").is_not_null()).then(pl.lit("50.0")))


@planted(
    "two columns exchanged", how="weather.humid and visib exchanged", says=r"exchanged weather.humid, weather.visib"
)
def humidity_and_visibility_exchanged(files: Landed) -> None:
    files.edit("weather", humid=pl.col("visib"), visib=pl.col("humid"))


@planted(
    "temperature and dew point exchanged",
    how="weather.temp and dewp exchanged",
    says=r"exchanged weather.dewp, weather.temp",
)
def temperature_and_dew_point_exchanged(files: Landed) -> None:
    files.edit("weather", temp=pl.col("dewp"), dewp=pl.col("temp"))


@planted("humidity turned round", how="weather.humid is 100 less what it was", says=r"turned weather\.humid")
def humidity_turned(files: Landed) -> None:
    files.edit("weather", humid=(100 - number("humid")).round(2))


@planted(
    "dew point copied from the temperature",
    how="weather.dewp is that of temp",
    says=r"copied_column weather\.temp, weather\.dewp",
)
def dew_point_copied(files: Landed) -> None:
    files.edit("weather", dewp=pl.col("temp"))


@planted(
    "30 % of delays null",
    how="departures.departure_delay_minutes empty, at random",
    before="refused, by rule and share",
    says=r"departure_delay_minutes",
)
def delays_null(files: Landed) -> None:
    files.edit("departures", departure_delay_minutes=pl.when(~one_in(0.3)).then("departure_delay_minutes"))


@planted(
    "30 % of temperatures null",
    how="weather.temp empty, at random",
    before="a warning",
    says=r"missing_values weather.temp",
)
def temperatures_null(files: Landed) -> None:
    files.edit("weather", temp=pl.when(~one_in(0.3)).then("temp"))


@planted("infinite wind", how="10 % of weather.wind_speed is inf", says=r"wind_speed")
def wind_infinite(files: Landed) -> None:
    files.edit("weather", wind_speed=pl.when(one_in(0.1)).then(pl.lit("inf")).otherwise("wind_speed"))


@planted("missing written as -999", how="20 % of weather.pressure is -999", says=r"pressure")
def missing_as_minus_999(files: Landed) -> None:
    files.edit("weather", pressure=pl.when(one_in(0.2)).then(pl.lit("-999")).otherwise("pressure"))


def _celsius(column: str) -> pl.Expr:
    return ((number(column) - 32) / 1.8).round(2).cast(pl.String)


@planted("Celsius at one airport", how="weather.temp in Celsius where origin is JFK", says=r"unit_change weather.temp")
def celsius_at_one_airport(files: Landed) -> None:
    files.edit("weather", temp=pl.when(pl.col("origin") == "JFK").then(_celsius("temp")).otherwise("temp"))


@planted("Celsius from the 15th", how="weather.temp in Celsius from 15 April on", says=r"unit_change weather.temp")
def celsius_from_the_middle(files: Landed) -> None:
    files.edit("weather", temp=pl.when(pl.col("observed_at") >= "2013-04-15").then(_celsius("temp")).otherwise("temp"))


@planted("Celsius in a third of the rows", how="weather.temp in Celsius, at random", says=r"weather.temp")
def celsius_in_some_rows(files: Landed) -> None:
    files.edit("weather", temp=pl.when(one_in(0.33)).then(_celsius("temp")).otherwise("temp"))


@planted("missing written as 9999", how="5 % of weather.visib is 9999", says=r"far_values weather.visib")
def missing_as_9999(files: Landed) -> None:
    files.edit("weather", visib=pl.when(one_in(0.05)).then(pl.lit("9999")).otherwise("visib"))


@planted("missing written as 0", how="2 % of weather.pressure is 0", says=r"one_value weather\.pressure")
def missing_as_zero(files: Landed) -> None:
    files.edit("weather", pressure=pl.when(one_in(0.02)).then(pl.lit("0")).otherwise("pressure"))


@planted(
    "carriers of other flights",
    how="schedule.carrier shuffled",
    says=r"(relation|fixed_attribute)_changed schedule.carrier",
)
def carriers_of_other_flights(files: Landed) -> None:
    files.edit("schedule", carrier=pl.col("carrier").shuffle(seed=7))


@planted(
    "planes of other flights",
    how="schedule.tailnum shuffled",
    says=r"relation_changed (schedule\.origin, )?schedule\.tailnum",
)
def planes_of_other_flights(files: Landed) -> None:
    files.edit("schedule", tailnum=pl.col("tailnum").shuffle(seed=7))


@planted(
    "two carriers exchanged", how="schedule.carrier UA becomes DL, and DL UA", says=r"changed_places schedule.carrier"
)
def two_carriers_exchanged(files: Landed) -> None:
    files.edit("schedule", carrier=pl.col("carrier").replace({"UA": "DL", "DL": "UA"}))


@planted(
    "a sensor hangs at one airport",
    how="weather.temp of JFK from 10 April on is that of the day's first hour",
    says=r"frozen_values weather.temp",
)
def sensor_hangs(files: Landed) -> None:
    hangs = (pl.col("origin") == "JFK") & (pl.col("observed_at") >= "2013-04-10")
    first = pl.col("temp").first().over(pl.col("observed_at").str.slice(0, 10), "origin")
    files.edit("weather", temp=pl.when(hangs).then(first).otherwise("temp"))


@planted(
    "gusts empty", how="weather.wind_gust, which most rows lack, has no value", says=r"missing_values weather.wind_gust"
)
def gusts_empty(files: Landed) -> None:
    files.edit("weather", wind_gust=pl.lit(None, pl.String))


@planted("visibility plus one", how="weather.visib + 1", says=r"offset weather\.visib")
def visibility_plus_one(files: Landed) -> None:
    files.edit("weather", visib=(number("visib") + 1).cast(pl.String))


@planted("wind direction turned", how="weather.wind_dir + 180, modulo 360", says=r"offset weather\.wind_dir")
def wind_turned(files: Landed) -> None:
    files.edit("weather", wind_dir=whole((number("wind_dir") + 180) % 360))


@planted("temperature rounded", how="weather.temp without its fraction", says=r"rounded weather\.temp")
def temperature_rounded(files: Landed) -> None:
    files.edit("weather", temp=number("temp").round().cast(pl.String))
