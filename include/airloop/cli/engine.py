"""Engines that features.sql may run on: is one the same as DuckDB?"""

from typing import Annotated

import typer

from airloop.cli.output import console, table, write_line
from airloop.errors import ConfigError, DataContractError
from airloop.records import Window, parse_instant
from airloop.settings import Settings, load_settings

app = typer.Typer(help="Where features.sql runs.", no_args_is_help=True)


@app.callback()
def _family() -> None:
    """Where features.sql runs; `airloop list engine` says what there is."""


@app.command(epilog="Example: airloop engine prove PIPELINE --engine postgres")
def prove(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    engine: Annotated[str | None, typer.Option(help="The engine; default AIRLOOP_ENGINE.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Start of the window; default the newest day with clean rows.")
    ] = None,
    end: Annotated[str | None, typer.Option(help="End of the window, exclusive.")] = None,
) -> None:
    """Run one window on DuckDB and on the engine at AIRLOOP_ENGINE_URL, and compare every section value by value."""
    settings = _settings(engine)
    from airloop.authoring import engine_proof
    from airloop.config import load_pipeline
    from airloop.feast_stores import feast_boot
    from airloop.features import engine_session

    feast_boot.neutralise_typeguard()
    declared = load_pipeline(pipeline, settings)
    window = _asked_window(start, end) or engine_proof.newest_window(declared, settings)
    version = engine_session.engine_version(settings)
    write_line(f"{pipeline} {window}: duckdb beside {version}")
    compared = list(engine_proof.prove(declared, window, settings))
    rows = [
        [item.section, f"{item.reference_rows:,}", f"{item.engine_rows:,}", _verdict(item.differing)]
        for item in compared
    ]
    console.print(table(["section", "rows, duckdb", "rows, engine", ""], rows))
    for item in compared:
        for line in item.shown:
            write_line(f"{item.section}: {line}")
    different = [item.section for item in compared if not item.equal]
    if different:
        raise DataContractError(
            f"{version} gives other rows than duckdb for {', '.join(different)}: keep AIRLOOP_ENGINE=duckdb, or write "
            "the first of these sections in another way (docs/guides/engines.md) and prove again"
        )
    if not any(item.reference_rows for item in compared):
        raise DataContractError(f"no section gives a row for {window}: nothing is proven; name a window with rows")


def _asked_window(start: str | None, end: str | None) -> Window | None:
    if (start is None) != (end is None):
        raise ConfigError("--start and --end go together: give both, or neither for the newest day with clean rows")
    return Window(parse_instant(start), parse_instant(end)) if start is not None and end is not None else None


def _settings(engine: str | None) -> Settings:
    settings = load_settings() if engine is None else load_settings(engine=engine)
    if settings.engine == "duckdb":
        raise ConfigError("duckdb is what others are compared with: name one by --engine (airloop list engine)")
    return settings


def _verdict(differing: int) -> str:
    return "equal" if not differing else f"{differing:,} differ"
