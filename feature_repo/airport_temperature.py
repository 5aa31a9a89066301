"""What Feast knows of airport_temperature: one view, an airport's weather as it was known at every hour."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING)

texts = ["airport", "hour_ahead"]
numbers = [
    "temp_last",
    "temp_change_3h",
    "temp_change_24h",
    "temp_mean_24h",
    "temp_mean_7d",
    "temp_max_24h",
    "temp_min_24h",
    "temp_that_hour_yesterday",
    "temp_that_hour_7d",
    "temp_this_hour_7d",
    "dewp_last",
    "humid_last",
    "pressure_last",
    "pressure_change_3h",
    "wind_from_east",
    "wind_from_north",
    "precip_6h",
    "visib_6h",
]

airport_hours = FeatureView(
    name="airport_hours",
    entities=[origin],
    ttl=timedelta(minutes=59),  # made every hour, for that hour: an older one says the wrong hour_ahead
    schema=[
        Field(name="origin", dtype=String),
        *(Field(name=text, dtype=String) for text in texts),
        *(Field(name=number, dtype=Float64) for number in numbers),
    ],
    source=FileSource(
        name="airport_hours_source",
        path="airport_temperature/features/airport_hours",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
    owner="weather-desk",
)

airport_temperature_v1 = FeatureService(name="airport_temperature_v1", features=[airport_hours])
