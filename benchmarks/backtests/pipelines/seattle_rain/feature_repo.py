"""What Feast knows of seattle_rain: one view, a row's columns as they were known at its time."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

row = Entity(name="day", join_keys=["day"], value_type=ValueType.STRING)

seattle_rain_rows = FeatureView(
    name="seattle_rain_rows",
    entities=[row],
    ttl=timedelta(days=1),  # how old a value may be at the decision
    schema=[
        Field(name="day", dtype=String),
        Field(name="days_ahead", dtype=Float64),
        Field(name="precipitation_last", dtype=Float64),
        Field(name="temp_max_last", dtype=Float64),
        Field(name="temp_min_last", dtype=Float64),
        Field(name="wind_last", dtype=Float64),
        Field(name="precipitation_14_days_last", dtype=Float64),
        Field(name="precipitation_last_1", dtype=Float64),
        Field(name="temp_max_last_1", dtype=Float64),
        Field(name="temp_min_last_1", dtype=Float64),
        Field(name="wind_last_1", dtype=Float64),
        Field(name="precipitation_14_days_last_1", dtype=Float64),
        Field(name="precipitation_last_2", dtype=Float64),
        Field(name="temp_max_last_2", dtype=Float64),
        Field(name="temp_min_last_2", dtype=Float64),
        Field(name="wind_last_2", dtype=Float64),
        Field(name="precipitation_14_days_last_2", dtype=Float64),
    ],
    source=FileSource(
        name="seattle_rain_rows_source",
        path="seattle_rain/features/seattle_rain_rows",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
)

seattle_rain_v1 = FeatureService(name="seattle_rain_v1", features=[seattle_rain_rows])
