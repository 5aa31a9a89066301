"""A source that reads the objects of a bucket, as docs/extend prints it, lands like a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import bucket, extend_pages, toy, toy_own

from airloop.errors import UpstreamUnavailable
from airloop.records import Extracted
from airloop.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
HEADER = "job,machine,planned_at,starts_at,size,updated_at\n"
OBJECTS = {
    f"jobs/2020-01-{day:02}.csv": (
        HEADER
        + "".join(
            f"j{day}-{number},m1,2020-01-{day:02}T{number:02}:00:00+00:00,2020-01-{day:02}T{number:02}:30:00+00:00,"
            f"{number},2020-01-{day:02}T{number:02}:00:00+00:00\n"
            for number in reversed(range(20))
        )
    ).encode()
    for day in (1, 2, 3)
}


@pytest.fixture
def port() -> Iterator[int]:
    with bucket.served("shop", {**OBJECTS, "other/2020-01-01.csv": b"not,ours\n"}) as port:
        yield port


def settings_of(tmp_path: Path, login: str, port: int) -> Settings:
    settings = toy_own.project(tmp_path / "project", REPOSITORY)
    extend_pages.write("sources.md", settings.project_dir / "include")
    toy_own.fetch_jobs_by(settings, "shop_objects:Objects", "{prefix: shop/jobs/}, connection: shop_bucket")
    return settings.model_copy(update={"connections": {"shop_bucket": f"s3://{login}@127.0.0.1:{port}"}})


def rows_landed(settings: Settings) -> dict[str, int]:
    folder = Path(settings.landing_uri) / "toy" / "jobs"
    return {path.name[:10]: path.read_text().count("\n") - 1 for path in sorted(folder.iterdir())}


def test_objects_of_the_window_land_by_day(tmp_path: Path, port: int) -> None:
    settings = settings_of(tmp_path, "reader:word", port)
    record = toy.run("extract", settings, toy.days(0, 2))
    assert isinstance(record, Extracted)
    assert record.rows == {"jobs": 40}
    assert rows_landed(settings) == {"2020-01-01": 20, "2020-01-02": 20}


def test_a_bucket_that_refuses_the_keys_lands_nothing_and_is_tried_again(tmp_path: Path, port: int) -> None:
    settings = settings_of(tmp_path, "stranger:word", port)
    with pytest.raises(
        UpstreamUnavailable, match=r"feed jobs, source shop_objects:Objects: .*Access Denied"
    ) as refused:
        toy.run("extract", settings, toy.days(0, 2))
    assert "word" not in str(refused.value)
    assert not (Path(settings.landing_uri) / "toy" / "jobs").exists() or rows_landed(settings) == {}
