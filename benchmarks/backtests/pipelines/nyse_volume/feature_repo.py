"""What Feast knows of nyse_volume: one view, a row's columns as they were known at its time."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64, String
from feast.value_type import ValueType

row = Entity(name="trading_day", join_keys=["trading_day"], value_type=ValueType.STRING)

nyse_volume_rows = FeatureView(
    name="nyse_volume_rows",
    entities=[row],
    ttl=timedelta(days=1),  # how old a value may be at the decision
    schema=[
        Field(name="trading_day", dtype=String),
        Field(name="days_ahead", dtype=Float64),
        Field(name="day_of_week", dtype=String),
        Field(name="log_volume_last", dtype=Float64),
        Field(name="dj_return_last", dtype=Float64),
        Field(name="log_volatility_last", dtype=Float64),
        Field(name="log_volume_last_1", dtype=Float64),
        Field(name="dj_return_last_1", dtype=Float64),
        Field(name="log_volatility_last_1", dtype=Float64),
        Field(name="log_volume_last_2", dtype=Float64),
        Field(name="dj_return_last_2", dtype=Float64),
        Field(name="log_volatility_last_2", dtype=Float64),
    ],
    source=FileSource(
        name="nyse_volume_rows_source",
        path="nyse_volume/features/nyse_volume_rows",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
)

nyse_volume_v1 = FeatureService(name="nyse_volume_v1", features=[nyse_volume_rows])
