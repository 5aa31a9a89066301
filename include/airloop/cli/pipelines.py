"""Pipeline declarations: written from a table, and checked."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.authoring.known_connections import with_connection
from airloop.cli.landing import ClockChange, Decimal, Missing, Separator, TimeFormat, Timezone
from airloop.cli.output import write_line
from airloop.config.dag_ids import dag_of
from airloop.errors import ConfigError
from airloop.settings import load_settings

if TYPE_CHECKING:
    from airloop.authoring.scaffold import Draft, Query

app = typer.Typer(no_args_is_help=True, help="Pipeline declarations.")


@app.command("new", epilog="Example: airloop pipelines new taxi_tips --from taxi.csv --label tip --timezone UTC")
def pipelines_new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores.")],
    table: Annotated[
        Path | None, typer.Option("--from", help="A .csv or .parquet file with a row per thing to predict.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option(help="Instead of --from: id of a database's connection, never its URL.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="With --connection: one SELECT.")] = None,
    watermark: Annotated[
        str | None, typer.Option(help="With --connection: column with the instant a row was last written.")
    ] = None,
    key: Annotated[str, typer.Option(help="Columns that identify a row: A or A,B.")] = "",
    time: Annotated[str | None, typer.Option(help="Column with the instant a row is about.")] = None,
    label: Annotated[str | None, typer.Option(help="Column to predict; default the last that fits.")] = None,
    task: Annotated[str | None, typer.Option(help="binary, regression or multiclass; default by the label.")] = None,
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="NAME=FILE: a table beside it, one row a key; repeatable.")
    ] = None,
    joins: Annotated[
        list[str] | None, typer.Option("--join", help="Column that rows and --table share; once, or once a table.")
    ] = None,
    timezone: Timezone = None,
    time_format: TimeFormat = None,
    separator: Separator = None,
    decimal: Decimal = None,
    missing: Missing = None,
    clock_change: ClockChange = "refuse",
) -> None:
    """Write the four files of a pipeline from a table of its data; what has to be decided is marked in them."""
    from airloop.authoring.scaffold import NamedRoles, asked_tables, new_pipeline
    from airloop.sources.land_dialect import Dialect

    settings = load_settings()
    keys = tuple(part.strip() for part in key.split(",") if part.strip())
    dialect = Dialect(
        timezone,
        tuple(missing or ()),
        separator,
        decimal,
        time_format,
        clock_change,  # type: ignore[arg-type]
    )
    beside = asked_tables(tables or [], joins or [])
    named = NamedRoles.checked(keys, time, label, task)
    rows = _rows(table, connection, query, watermark)
    if connection:
        settings = with_connection(connection, settings)
    draft = new_pipeline(name, rows, named, dialect, settings, tables=beside)
    _say_what_was_inferred(draft)
    _say_next_steps(draft)


def _rows(table: Path | None, connection: str | None, query: str | None, watermark: str | None) -> "Path | Query":
    from airloop.authoring.scaffold import Query

    if table is not None and connection is None and query is None:
        return table
    if table is None and connection and query:
        return Query(connection, query, watermark)
    raise ConfigError(
        "give the rows by --from TABLE.csv, or by --connection ID --query 'SELECT ...' of a database, not by both"
    )


@app.command("check", epilog="Example: airloop pipelines check PIPELINE")
def pipelines_check(name: Annotated[str | None, typer.Argument(help="One pipeline; default all.")] = None) -> None:
    """Read every declaration, its SQL, expectations and Feast definitions, and resolve what they name."""
    from airloop.authoring.pipeline_check import check_pipeline, in_time
    from airloop.authoring.scaffold import left_to_decide
    from airloop.config import load_pipeline, pipeline_names
    from airloop.features import feature_store

    settings = load_settings()
    names = [name] if name else list(pipeline_names(settings))
    if not names:
        raise ConfigError(f"no pipeline is declared below {settings.pipelines_dir}")
    wrong = []
    for pipeline in names:
        try:
            with in_time(pipeline, settings):
                lines = check_pipeline(pipeline, settings)
                feature_store.stores(load_pipeline(pipeline, settings), settings)
        except ConfigError as error:
            wrong.append(str(error))
            continue
        for line in lines:
            write_line(f"{pipeline}: {line}")
        for open_point in left_to_decide(pipeline, settings):
            place = f"{open_point.path.relative_to(settings.project_dir)}:{open_point.line}"
            setting = f"{open_point.setting}  # " if open_point.setting else ""
            write_line(f"{pipeline}: left to decide: {place}: {setting}{open_point.assumed}")
    if wrong:
        raise ConfigError("\n".join(wrong))


def _say_what_was_inferred(draft: "Draft") -> None:
    from airloop.authoring.scaffold import example_path, inferred, written_paths

    for line in inferred.lines(draft):
        write_line(line)
    for path in (*written_paths(draft.name), example_path(draft.name)):
        if (load_settings().project_dir / path).exists():
            write_line(f"wrote {path}")


def _say_next_steps(draft: "Draft") -> None:
    from airloop.authoring.scaffold import EVENTS, OUTCOMES

    name, plan = draft.name, draft.plan
    options = "".join(f" {shlex.quote(word)}" for word in draft.dialect.options())
    cutoff = f"{plan.cutoff:%Y-%m-%dT%H:%M:%SZ}"
    until = f"{plan.scored_until:%Y-%m-%dT%H:%M:%SZ}" if plan.scored_until else None
    write_line("\nNext:")
    write_line(f"  airloop pipelines check {name}      what is assumed, and where to change it")
    write_line(f"  airloop test {name}      features.sql on two rows, whenever you change it")
    for feed in () if draft.database else (EVENTS, OUTCOMES):
        write_line(f"  airloop land {name} {feed} {shlex.quote(str(draft.table.path))}{options}")
    for item in draft.joined:
        write_line(f"  airloop land {name} {item.name} {shlex.quote(str(item.table.path))}{options}")
    if draft.database:
        variable = f"AIRFLOW_CONN_{draft.database.connection.upper()}"
        write_line(
            f"  {variable} in the environment of the platform (airloop up, airloop replay), or a connection in Airflow"
        )
        if draft.database.written is None:
            write_line(
                f"  look: no column says when a row was last written (--watermark): rows are fetched once, by "
                f"{draft.roles.time}, and a label that is written later is not seen"
            )
    write_line(f"  airloop replay {name}      its past through the whole loop, with a table at the end")
    training, scoring = dag_of(name, "training"), dag_of(name, "scoring")
    scored = f", then {scoring} for {cutoff} to {until}" if until else ""
    write_line(f"Or one training by hand, on the platform (airloop up): {training} with the cutoff {cutoff}{scored}.")
    write_line("Or here, without a platform:")
    for line in _by_hand(name, cutoff, until, extracts=draft.database is not None):
        write_line(f"  airloop run {line}")


def _by_hand(name: str, cutoff: str, until: str | None, *, extracts: bool) -> Iterator[str]:
    if extracts:
        yield f"extract {name} --end {until or cutoff}"
    yield f"data {name} --end {cutoff}"
    yield f"training {name} --end {cutoff}"
    yield f"promote {name} --end {cutoff}"
    if until:
        for what in ("data", "score"):
            yield f"{what} {name} --start {cutoff} --end {until}"
