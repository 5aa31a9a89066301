"""What Feast knows of digit_images: one view, a scan's pixels as an array."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Array, Float64, String
from feast.value_type import ValueType

scan = Entity(name="scan_id", join_keys=["scan_id"], value_type=ValueType.STRING)

scan_pixels = FeatureView(
    name="scan_pixels",
    entities=[scan],
    ttl=timedelta(hours=1),
    schema=[
        Field(name="scan_id", dtype=String),
        Field(name="pixels", dtype=Array(Float64), tags={"length": "64"}),
        Field(name="ink", dtype=Float64),
    ],
    source=FileSource(
        name="scan_pixels_source",
        path="digit_images/features/scan_pixels",
        file_format=DeltaFormat(),
        timestamp_field="known_at",
        created_timestamp_column="created_at",
    ),
    owner="mail-room",
)

digit_images_v1 = FeatureService(name="digit_images_v1", features=[scan_pixels])
