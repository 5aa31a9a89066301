"""Reports are named by their window, and appear whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from airloop import reports
from airloop.errors import UpstreamUnavailable
from airloop.records import Window
from airloop.settings import Settings

WINDOW = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, 6, tzinfo=UTC))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(project_dir=tmp_path, home=tmp_path / "home")


def test_a_report_is_named_by_its_window(settings: Settings) -> None:
    uri = reports.report_uri(settings, "shop", "validation", "raw", window=WINDOW, suffix=".html")
    assert uri == f"{settings.reports_uri}/shop/validation/raw/20130101T000000Z_20130101T060000Z.html"


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(settings: Settings) -> None:
    uri = reports.report_uri(settings, "shop", window=WINDOW, suffix=".html")
    reports.publish(uri, "old", settings)
    reports.publish(uri, "new", settings)
    assert Path(uri).read_text() == "new"
    assert len(list(Path(uri).parent.iterdir())) == 1


def test_a_write_that_fails_leaves_the_report_of_before(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = reports.report_uri(settings, "shop", window=WINDOW, suffix=".html")
    reports.publish(uri, "old", settings)

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(LocalFileSystem, "mv", full)
    with pytest.raises(UpstreamUnavailable, match="no space left"):
        reports.publish(uri, "new", settings)
    assert Path(uri).read_text() == "old"
    assert len(list(Path(uri).parent.iterdir())) == 1


def test_object_stores_get_one_put(settings: Settings) -> None:
    reports.publish("memory://reports/shop/a.html", "text", settings)
    assert fsspec.filesystem("memory").cat("/reports/shop/a.html") == b"text"
    assert len(fsspec.filesystem("memory").ls("/reports/shop")) == 1
