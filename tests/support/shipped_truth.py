"""What the sources of the other shipped pipelines say themselves, to hold the platform's figures against."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
from sklearn.datasets import load_digits

from airloop.config import Pipeline
from airloop.features import feature_store
from airloop.settings import Settings
from digits import DigitScans
from nycflights import NycWeather


def outcomes(name: str) -> "pd.Series[Any]":
    """Entity key -> outcome."""
    if name == "digit_images":
        digits = load_digits(return_X_y=True)[1]
        return pd.Series(digits, index=[f"scan-{number:04}" for number in range(1, len(digits) + 1)])
    observed = NycWeather().frame("weather").drop_nulls("temp").to_pandas()
    return pd.Series(
        observed["temp"].to_numpy(), index=observed["origin"] + observed["observed_at"].dt.strftime("@%Y-%m-%dT%HZ")
    )


def online(pipeline: Pipeline, settings: Settings, last: datetime) -> tuple[list[Any], list[Any]]:
    """Values in the online store at the end of the day `last`, and what the source has in their place."""
    store = feature_store.open_store(pipeline, settings)
    if pipeline.name == "digit_images":
        scan = DigitScans().frame("scans").filter(scanned_at=last.replace(hour=8))["scan_id"].item()
        stored = store.get_online_features(["scan_pixels:pixels"], entity_rows=[{"scan_id": scan}]).to_dict()
        image = load_digits(return_X_y=True)[0][int(scan.removeprefix("scan-")) - 1]
        return stored["pixels"], [list(image / 16)]
    rows = [{"origin": airport} for airport in ("EWR", "JFK", "LGA")]
    stored = store.get_online_features(["airport_hours:temp_last"], entity_rows=rows).to_dict()
    hour = datetime(last.year, last.month, last.day, 22, tzinfo=UTC)
    observed = dict(NycWeather().frame("weather").filter(observed_at=hour).select("origin", "temp").iter_rows())
    return stored["temp_last"], [observed[row["origin"]] for row in rows]
