"""The upstream systems of the other shipped pipelines: all that is theirs lands, when it is known, whole and once."""

import base64
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem
from sklearn.datasets import load_digits

from airloop.errors import ConfigError
from digits import DigitScans
from nycflights import NycFlights, NycWeather

FOREVER = datetime(2030, 1, 1, tzinfo=UTC)
SOURCES: tuple[Any, ...] = (DigitScans, NycWeather)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("digits")
    DigitScans().land(str(root), until=FOREVER)
    return root


def rows(root: Path, feed: str) -> pl.DataFrame:
    """All files of a feed, each row with the day in its file's name."""
    frames = [
        pl.read_csv(path, try_parse_dates=True).with_columns(file=pl.lit(path.stem).str.to_date())
        for path in sorted((root / feed).iterdir())
    ]
    return pl.concat(frames)


def test_every_image_lands_in_the_order_of_the_data_set(landed: Path) -> None:
    scans = rows(landed, "scans")
    images = [np.frombuffer(base64.b64decode(image), np.uint8) for image in scans["image"]]
    assert np.array_equal(np.stack(images), load_digits().data)
    assert scans["scan_id"].is_unique().all()
    assert scans["scan_id"].is_sorted()


def test_every_scan_gets_its_digit_a_day_later(landed: Path) -> None:
    both = rows(landed, "scans").join(rows(landed, "keyed"), on="scan_id", how="full", coalesce=True)
    assert np.array_equal(both.sort("scan_id")["digit"].to_numpy(), load_digits().target)
    assert (both["keyed_at"] - both["scanned_at"] == timedelta(days=1)).all()


@pytest.mark.parametrize(("feed", "stamp"), [("scans", "scanned_at"), ("keyed", "keyed_at")])
def test_a_file_holds_its_day_and_lands_when_the_day_is_over(landed: Path, feed: str, stamp: str) -> None:
    found = rows(landed, feed)
    assert (found[stamp].dt.date() == found["file"]).all()
    assert tuple(found["file"].unique().sort()) == DigitScans().days(feed)
    for day, last in found.group_by("file").agg(pl.col(stamp).max()).iter_rows():
        assert last.replace(tzinfo=UTC) < DigitScans().available_at(feed, day)


def test_the_coverage_is_that_of_the_scans() -> None:
    start, end = DigitScans().coverage
    assert (start, end) == (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 9, tzinfo=UTC))
    assert DigitScans().frame("scans").filter(pl.col("scanned_at").is_between(start, end)).height == 1797


def test_nothing_of_later_lands_and_the_same_again_writes_nothing(tmp_path: Path) -> None:
    noon = datetime(2024, 1, 3, 12, tzinfo=UTC)
    written = DigitScans().land(str(tmp_path), until=noon)
    names = [uri.removeprefix(f"{tmp_path}/") for uri in written]
    assert names == ["scans/2024-01-01.csv", "scans/2024-01-02.csv", "keyed/2024-01-02.csv"]
    assert DigitScans().land(str(tmp_path), until=noon) == ()
    assert DigitScans().land(str(tmp_path), until=noon + timedelta(days=1), feeds=["keyed"]) == (
        f"{tmp_path}/keyed/2024-01-03.csv",
    )


def test_a_broken_call_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_half(self: LocalFileSystem, path: str, content: bytes, **_: object) -> None:
        Path(path).write_bytes(content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "pipe_file", write_half)
        with pytest.raises(KeyboardInterrupt):
            DigitScans().land(str(tmp_path), until=datetime(2024, 1, 3, tzinfo=UTC))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_weather_is_that_of_the_flights_and_nothing_else(tmp_path: Path) -> None:
    until = datetime(2013, 1, 5, tzinfo=UTC)
    for connector, folder in ((NycFlights(), "all"), (NycWeather(), "weather_alone")):
        connector.land(str(tmp_path / folder), until=until)
    one, other = (tmp_path / folder / "weather" for folder in ("all", "weather_alone"))
    assert [path.name for path in (tmp_path / "weather_alone").iterdir()] == ["weather"]
    assert {path.name: path.read_bytes() for path in one.iterdir()} == {p.name: p.read_bytes() for p in other.iterdir()}
    assert NycWeather().days("weather") == NycFlights().days("weather")
    start, end = NycWeather().coverage
    observed = NycWeather().frame("weather")["observed_at"]
    assert start <= observed.min() < observed.max() < end  # type: ignore[operator]


@pytest.mark.parametrize("connector", SOURCES)
def test_an_unknown_feed_is_refused(connector: Any, tmp_path: Path) -> None:
    source = connector()
    calls = (
        lambda: source.land(str(tmp_path), until=FOREVER, feeds=[*source.feeds, "nosuch"]),
        lambda: source.days("nosuch"),
        lambda: source.frame("nosuch"),
        lambda: source.available_at("nosuch", date(2024, 1, 1)),
    )
    for call in calls:
        with pytest.raises(ConfigError, match=f"no feed 'nosuch'; nearest: .*{source.feeds[0]}"):
            call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("connector", SOURCES)
def test_until_without_a_timezone_is_refused(connector: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="until must be timezone-aware"):
        connector().land(str(tmp_path), until=datetime(2024, 1, 1))
