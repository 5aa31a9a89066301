"""What Feast knows of flight_delays: views keyed by what they describe, stamped with when each value became known."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType


def entity(name: str) -> Entity:
    return Entity(name=name, join_keys=[name], value_type=ValueType.STRING)


def view(name: str, *, key: Entity, ttl: timedelta, numbers: list[str], texts: tuple[str, ...] = ()) -> FeatureView:
    fields = [Field(name=text, dtype=String) for text in texts] + [
        Field(name=number, dtype=Float64) for number in numbers
    ]
    source = FileSource(
        name=f"{name}_source",
        path=f"flight_delays/features/{name}",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    )
    return FeatureView(
        name=name,
        entities=[key],
        ttl=ttl,
        schema=[Field(name=key.join_key, dtype=String), *fields],
        source=source,
        owner="flight-operations",
    )


flight, carrier, origin, dest, route, tail = map(entity, ("flight_id", "carrier", "origin", "dest", "route", "tailnum"))

flight_static = view(
    "flight_static",
    key=flight,
    ttl=timedelta(days=2),
    texts=("carrier_code", "origin_airport", "dest_airport"),
    numbers=[
        "distance_miles",
        "scheduled_minutes",
        "local_hour",
        "weekday",
        "seats",
        "plane_age",
        "origin_hour_flights",
        "turnaround_minutes",
    ],
)
origin_quarters = view(
    "origin_quarters",
    key=origin,
    ttl=timedelta(hours=2),
    numbers=[
        "origin_overdue",
        "origin_overdue_minutes",
        "origin_departed_2h",
        "origin_delay_2h",
        "origin_late_2h",
        "origin_late_3d",
    ],
)
carrier_hours = view(
    "carrier_hours",
    key=carrier,
    ttl=timedelta(hours=6),
    numbers=["carrier_delay_6h", "carrier_late_24h", "carrier_late_28d"],
)
dest_hours = view("dest_hours", key=dest, ttl=timedelta(hours=6), numbers=["dest_delay_6h", "dest_late_28d"])
route_days = view("route_days", key=route, ttl=timedelta(days=2), numbers=["route_late_28d", "route_delay_28d"])
tail_departures = view("tail_departures", key=tail, ttl=timedelta(hours=20), numbers=["tail_delay", "tail_late"])
weather_hours = view(
    "weather_hours",
    key=origin,
    ttl=timedelta(hours=6),
    numbers=["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"],
)

flight_delays_v1 = FeatureService(
    name="flight_delays_v1",
    features=[flight_static, origin_quarters, carrier_hours, dest_hours, route_days, tail_departures, weather_hours],
)
