"""What Feast knows of airport_disruptions: one view, a row's columns as they were known at its time."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

row = Entity(name="airport_hour", join_keys=["airport_hour"], value_type=ValueType.STRING)

airport_disruptions_rows = FeatureView(
    name="airport_disruptions_rows",
    entities=[row],
    ttl=timedelta(days=1),  # how old a value may be at the decision
    schema=[
        Field(name="airport_hour", dtype=String),
        Field(name="origin", dtype=String),
        Field(name="scheduled_flights", dtype=Float64),
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
        name="airport_disruptions_rows_source",
        path="airport_disruptions/features/airport_disruptions_rows",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
)

airport_disruptions_v1 = FeatureService(name="airport_disruptions_v1", features=[airport_disruptions_rows])
