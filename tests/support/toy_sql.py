"""The toy with its jobs and machines in a database: the same rows, fetched by the stage extract."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.support import toy

from airloop.records import parse_instant
from airloop.settings import Settings

METADATA = sa.MetaData()


class Instant(sa.types.TypeDecorator[datetime]):
    """timestamptz; in SQLite, which has none, text like 2020-01-01T00:00:00Z."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.engine.Dialect) -> Any:
        return sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True)

    def process_bind_param(self, value: Any, dialect: sa.engine.Dialect) -> Any:
        return toy.text(value) if isinstance(value, datetime) and dialect.name == "sqlite" else value


JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("machine", sa.Text),
    sa.Column("planned_at", Instant),
    sa.Column("starts_at", Instant),
    sa.Column("size", sa.Integer),
    sa.Column("updated_at", Instant),
)
MACHINES = sa.Table("machines", METADATA, sa.Column("machine", sa.Text), sa.Column("built", sa.Integer))
DECLARED = (
    (
        '{files: "{day}.csv", key: [job], event_time: planned_at',
        "{source: {connection: shop, query: SELECT * FROM jobs, watermark: updated_at},\n"
        "     key: [job], event_time: planned_at",
    ),
    ("size: integer}}\n  heat", "size: integer, updated_at: timestamp}}\n  heat"),
    ("{files: machines.csv,", "{source: {connection: shop, query: 'SELECT machine, built FROM machines'},"),
)


def write_project(root: Path, repository: Path, url: str) -> Settings:
    """The toy's project with its feeds from the database at `url` (a SQLAlchemy URL), which gets their tables."""
    settings = toy.write_project(root, repository)
    for old, new in DECLARED:
        declare(settings, old, new)
    engine = sa.create_engine(url)
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    engine.dispose()
    return settings.model_copy(update={"connections": {"shop": url}})


def declare(settings: Settings, old: str, new: str) -> None:
    """Edit a text of pipeline.yaml that stands there once."""
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    if text.count(old) != 1:
        raise ValueError(f"pipeline.yaml holds {old!r} {text.count(old)} times")
    path.write_text(text.replace(old, new))


def fill(settings: Settings, days: range) -> None:
    """Put the toy's jobs of these days into the database, written when they were planned, and land its other feeds."""
    toy.land(settings, days=days)
    root = Path(settings.landing_uri) / "toy"
    jobs = []
    for path in sorted((root / "jobs").glob("*.csv")):
        if not path.name.endswith("Z.csv"):
            jobs += [_job(row) for row in csv.DictReader(path.read_text().splitlines())]
            path.unlink()
    machines = list(csv.DictReader((root / "machines" / "machines.csv").read_text().splitlines()))
    (root / "machines" / "machines.csv").unlink()
    execute(
        settings, MACHINES.delete(), MACHINES.insert().values([{**row, "built": int(row["built"])} for row in machines])
    )
    execute(settings, JOBS.insert().values(jobs))


def _job(row: dict[str, str]) -> dict[str, object]:
    planned = parse_instant(row["planned_at"])
    times = {"planned_at": planned, "starts_at": parse_instant(row["starts_at"]), "updated_at": planned}
    return {**row, **times, "size": int(row["size"])}


def many_rows(
    settings: Settings, days: int, rows_a_day: int, *, updated: str = "timestamptz '2020-01-01 12:00Z'"
) -> None:
    """Fill PostgreSQL's jobs with rows of 250 bytes over `days` days, all written at once."""
    planned = f"timestamptz '2020-01-01Z' + interval '1 second' * (n % 86400) + interval '1 day' * (n % {days})"
    execute(
        settings,
        f"INSERT INTO jobs SELECT 'j' || n, repeat('m', 200), {planned}, {planned}, n, {updated} "
        f"FROM generate_series(1, {days * rows_a_day}) AS s(n)",
    )


def execute(settings: Settings, *statements: Any) -> None:
    """Run statements, or SQL, in one transaction of the database."""
    engine = sa.create_engine(settings.connections["shop"], poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement) if isinstance(statement, str) else statement)


def update(settings: Settings, job: str, at: datetime, **values: object) -> None:
    """What an application does: change a row and stamp it."""
    execute(settings, JOBS.update().where(JOBS.c.job == job).values(**values, updated_at=at))


def landed(settings: Settings, feed: str = "jobs") -> dict[str, str]:
    """File name -> content of a feed's landing folder, hidden files too."""
    folder = Path(settings.landing_uri) / "toy" / feed
    return {path.name: path.read_text() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


def noon(day: int) -> datetime:
    return toy.START + timedelta(days=day, hours=12)
