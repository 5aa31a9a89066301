"""Values that lie where they lay: digits lost or new, names exchanged."""

import polars as pl

from .fault import planted
from .landed import Landed, number


@planted("dew point to one decimal", how="weather.dewp of two decimals", says=r"rounded weather\.dewp")
def dew_point_of_a_decimal(files: Landed) -> None:
    files.edit("weather", dewp=number("dewp").round(1).cast(pl.String))


@planted("pressure calibrated", how="weather.pressure x 1.00013", says=r"new_digits weather\.pressure")
def pressure_calibrated(files: Landed) -> None:
    files.edit("weather", pressure=(number("pressure") * 1.00013).cast(pl.String))


@planted(
    "two airports of the weather exchanged",
    how="weather.origin EWR becomes LGA, and LGA EWR",
    says=r"changed_places weather\.origin",
)
def airports_exchanged(files: Landed) -> None:
    files.edit("weather", origin=pl.col("origin").replace({"EWR": "LGA", "LGA": "EWR"}))
