"""What Feast knows of flight_few_labels: one view, a row's columns as they were known at its time."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

row = Entity(name="flight_id", join_keys=["flight_id"], value_type=ValueType.STRING)

flight_few_labels_rows = FeatureView(
    name="flight_few_labels_rows",
    entities=[row],
    ttl=timedelta(days=1),  # how old a value may be at the decision
    schema=[
        Field(name="flight_id", dtype=String),
        Field(name="carrier", dtype=String),
        Field(name="origin", dtype=String),
        Field(name="dest", dtype=String),
        Field(name="distance_miles", dtype=Float64),
        Field(name="scheduled_minutes", dtype=Float64),
        Field(name="hour_of_day", dtype=Float64),
        Field(name="weekday", dtype=Float64),
        Field(name="temp_before", dtype=Float64),
        Field(name="dewp_before", dtype=Float64),
        Field(name="humid_before", dtype=Float64),
        Field(name="wind_speed_before", dtype=Float64),
        Field(name="wind_gust_before", dtype=Float64),
        Field(name="precip_before", dtype=Float64),
        Field(name="pressure_before", dtype=Float64),
        Field(name="visib_before", dtype=Float64),
        Field(name="departed_before", dtype=Float64),
        Field(name="departure_delay_before", dtype=Float64),
    ],
    source=FileSource(
        name="flight_few_labels_rows_source",
        path="flight_few_labels/features/flight_few_labels_rows",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
)

flight_few_labels_v1 = FeatureService(name="flight_few_labels_v1", features=[flight_few_labels_rows])
