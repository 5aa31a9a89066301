"""What Feast knows of bike_hours: one view, a row's columns as they were known at its time."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

row = Entity(name="bike_hour", join_keys=["bike_hour"], value_type=ValueType.STRING)

bike_hours_rows = FeatureView(
    name="bike_hours_rows",
    entities=[row],
    ttl=timedelta(days=1),  # how old a value may be at the decision
    schema=[
        Field(name="bike_hour", dtype=String),
        Field(name="hour_of_day", dtype=Float64),
        Field(name="weekday", dtype=Float64),
        Field(name="holiday", dtype=Float64),
        Field(name="workingday", dtype=Float64),
        Field(name="weathersit", dtype=String),
        Field(name="temp", dtype=Float64),
        Field(name="atemp", dtype=Float64),
        Field(name="hum", dtype=Float64),
        Field(name="windspeed", dtype=Float64),
        Field(name="bikers_a_day_before", dtype=Float64),
        Field(name="bikers_a_week_before", dtype=Float64),
    ],
    source=FileSource(
        name="bike_hours_rows_source",
        path="bike_hours/features/bike_hours_rows",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
)

bike_hours_v1 = FeatureService(name="bike_hours_v1", features=[bike_hours_rows])
