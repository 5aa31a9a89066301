"""`airloop init`, as a person types it."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.landing import ClockChange, Decimal, Missing, Separator, TimeFormat, Timezone
from airloop.cli.output import write_line
from airloop.errors import ConfigError

if TYPE_CHECKING:
    from airloop_platform.project.files import ProjectParts
    from airloop_platform.project.start import Start

app = typer.Typer()


@app.command(epilog="Example: airloop init shop --pipeline shop_returns --from orders.csv --label returned")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    pipeline: Annotated[str | None, typer.Option(help="Name of its first pipeline.")] = None,
    table: Annotated[
        Path | None, typer.Option("--from", help="Your .csv or .parquet table; default the example's.")
    ] = None,
    into_airflow: Annotated[
        bool, typer.Option(help="DIR is an Airflow project (dags/, plugins/, include/): add what it lacks.")
    ] = False,
    wheel: Annotated[
        Path | None, typer.Option(help="The wheel of airloop, or its folder; default what this one came from.")
    ] = None,
    key: Annotated[str, typer.Option(help="Columns of your table that identify a row: A or A,B.")] = "",
    time: Annotated[str | None, typer.Option(help="Column with the instant a row is about.")] = None,
    label: Annotated[str | None, typer.Option(help="Column to predict; default the last that fits.")] = None,
    task: Annotated[str | None, typer.Option(help="binary, regression or multiclass; default by the label.")] = None,
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    separator: Separator = None,
    decimal: Decimal = None,
    missing: Missing = None,
    clock_change: ClockChange = "refuse",
) -> None:
    """Make a project of your own, which depends on this airloop by its version: DAGs, a pipeline, tests, Makefile."""
    from airloop.sources.land_dialect import Dialect
    from airloop_platform.project import files, shipped, write
    from airloop_platform.project.start import pipeline_files
    from airloop_platform.project.wheel import find_wheel

    dialect = Dialect(timezone, tuple(missing or ()), separator, decimal, time_format, clock_change)  # type: ignore[arg-type]
    start = _start(pipeline, table, (key, time, label, task), dialect)
    if into_airflow and not (folder / "dags").is_dir():
        raise ConfigError(f"{folder} is not an Airflow project: it has no dags/; leave out --into-airflow to make one")
    written, draft = pipeline_files(start)
    parts = files.ProjectParts(folder.resolve().name, find_wheel(wheel), start, draft, written)
    contents = files.for_airflow(parts) if into_airflow else files.whole_project(parts)
    if not into_airflow:
        write.refuse_folder(folder, contents, besides=[path for path in (table, parts.wheel) if path])
    new_files = write.write_missing(folder, contents)
    write_line(f"airloop {shipped.version()}: {len(new_files)} files written to {folder}")
    _say_next(folder, parts, into_airflow=into_airflow)


@app.command(epilog="Example: airloop upgrade")
def upgrade() -> None:
    """Bring this project and its home to the installed version; opening the home does its part of that by itself."""
    from airloop.settings import load_settings
    from airloop.stores import state
    from airloop_platform.project import shipped, write

    settings = load_settings()
    before, now = state.upgrade(settings)
    moved = f"{before or 'empty'} -> {now}" if before != now else f"at revision {now}, nothing to do"
    write_line(f"state database: {moved}")
    lacking = shipped.lacking(settings.project_dir)
    for name in write.write_missing(settings.project_dir, lacking):
        write_line(f"{name}: added")


def _start(
    pipeline: str | None, table: Path | None, roles: tuple[str, str | None, str | None, str | None], dialect: object
) -> "Start":
    from airloop.authoring.scaffold import NamedRoles
    from airloop.sources.land_dialect import Dialect
    from airloop_platform.project.start import Start, example

    key, time, label, task = roles
    if table is None:
        if any(roles) or dialect != Dialect():
            raise ConfigError(
                "--key, --time, --label, --task and how a table is written are said of a table: add --from"
            )
        return example(pipeline)
    if pipeline is None:
        raise ConfigError("--from needs a name for the pipeline of that table: add --pipeline NAME")
    keys = tuple(part.strip() for part in key.split(",") if part.strip())
    return Start(pipeline, table, NamedRoles.checked(keys, time, label, task), dialect)  # type: ignore[arg-type]


def _say_next(folder: Path, parts: "ProjectParts", *, into_airflow: bool) -> None:
    from airloop.authoring.scaffold import inferred
    from airloop_platform.project import shipped

    name = parts.start.pipeline
    write_line(f"  pipeline {name}")
    for line in inferred.lines(parts.draft):
        write_line(line)
    if parts.wheel is None:
        write_line(f"  requirements.txt asks the package index for airloop=={shipped.version()}")
    write_line("\nNext:")
    if into_airflow:
        links = " --find-links wheels" if parts.wheel else ""
        write_line(
            f"  add a line to requirements.txt: airloop=={shipped.version()}   (pip install{links} -r requirements.txt)"
        )
        write_line("  keep .airloop/ out of git and of the image")
        write_line(f"  airloop pipelines check {name}      what is assumed, and where to change it")
        return
    write_line(f"  cd {folder}")
    write_line("  make demo               the table through every stage, to a champion that scores")
    write_line("  make test               the tests of the pipeline")
    write_line("  export PATH=$PWD/.airloop/venv/bin:$PATH")
    write_line(f"  airloop pipelines check {name}      what is assumed, and where to change it")
    for line in _landed_by(parts):
        write_line(f"  {line}")
    write_line(f"  airloop replay {name} --anew      its past through the whole loop on a real Airflow")


def _landed_by(parts: "ProjectParts") -> Iterator[str]:
    """The commands that land the table, with the options that say how it is written."""
    from airloop.authoring.scaffold import EVENTS, OUTCOMES

    options = parts.draft.dialect.options()
    for feed in (EVENTS, OUTCOMES):
        yield shlex.join(["airloop", "land", parts.start.pipeline, feed, f"data/{parts.start.table.name}", *options])
