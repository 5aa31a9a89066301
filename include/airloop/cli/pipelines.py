"""Pipeline declarations: written from a table, and checked."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.landing import Missing, Timezone
from airloop.cli.output import console
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

if TYPE_CHECKING:
    from airloop.scaffold import Draft

app = typer.Typer(no_args_is_help=True, help="Pipeline declarations.")

_DATA = "ingest validate_raw build_features validate_features materialize snapshot"


@app.command("new", epilog="Example: airloop pipelines new taxi_tips --from taxi.csv --label tip --timezone UTC")
def pipelines_new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores.")],
    table: Annotated[Path, typer.Option("--from", help="A .csv or .parquet file with a row per thing to predict.")],
    key: Annotated[str, typer.Option(help="Columns that identify a row: A or A,B.")] = "",
    time: Annotated[str | None, typer.Option(help="Column with the instant a row is about.")] = None,
    label: Annotated[str | None, typer.Option(help="Column to predict; default the last that fits.")] = None,
    task: Annotated[str | None, typer.Option(help="binary, regression or multiclass; default by the label.")] = None,
    timezone: Timezone = None,
    missing: Missing = None,
) -> None:
    """Write the four files of a pipeline from a table of its data; what has to be decided is marked in them."""
    from airloop.landing.land_tables import Dialect
    from airloop.scaffold import Asked, new_pipeline

    settings = load_settings()
    keys = tuple(part.strip() for part in key.split(",") if part.strip())
    dialect = Dialect(timezone, tuple(missing or ()))
    draft = new_pipeline(name, table, Asked.checked(keys, time, label, task), dialect, settings)
    _say_what_was_found(draft)
    _say_next_steps(draft, settings)


@app.command("check", epilog="Example: airloop pipelines check flight_delays")
def pipelines_check(name: Annotated[str | None, typer.Argument(help="One pipeline; default all.")] = None) -> None:
    """Read every declaration, its SQL, expectations and Feast definitions, and resolve what they name."""
    from airloop.config import pipeline_names
    from airloop.pipeline_check import check_pipeline
    from airloop.scaffold import left_to_decide

    settings = load_settings()
    names = [name] if name else list(pipeline_names(settings))
    if not names:
        raise ConfigError(f"no pipeline is declared below {settings.pipelines_dir}")
    for found in names:
        for line in check_pipeline(found, settings):
            console.print(f"{found}: {line}")
        for open_point in left_to_decide(found, settings):
            place = f"{open_point.path.relative_to(settings.project_dir)}:{open_point.line}"
            _say(f"{found}: left to decide: {place}: {open_point.assumed}")


def _say_what_was_found(draft: "Draft") -> None:
    from airloop.scaffold import written_paths

    roles, plan = draft.roles, draft.plan
    features = sum(column.feature is not None for column in draft.columns)
    _say(f"read {plan.rows:,} rows of {draft.table.path}:")
    _say(f"  key {', '.join(roles.key)}, time {roles.time}, label {roles.label} ({roles.task}), {features} features")
    _say(f"  {plan.start:%Y-%m-%d} to {plan.end:%Y-%m-%d}, {plan.calendar}, {plan.rows_a_day:.3g} rows a day")
    for column, why in draft.left_out.items():
        _say(f"  column {column} left out: {why}")
    for path in written_paths(draft.name):
        _say(f"wrote {path}")


def _say_next_steps(draft: "Draft", settings: Settings) -> None:
    from airloop.config import load_pipeline
    from airloop.scaffold import EVENTS, OUTCOMES

    name, table = draft.name, shlex.quote(str(draft.table.path))
    missing = [word for given in draft.dialect.missing for word in ("--missing", shlex.quote(given))]
    zone = ["--timezone", draft.dialect.timezone] if draft.dialect.timezone else []
    options = "".join(f" {word}" for word in (*zone, *missing))
    candidates = " ".join(load_pipeline(name, settings).training.candidates)
    _say("\nNext:")
    _say(f"  airloop pipelines check {name}      what is assumed, and where to change it")
    for feed in (EVENTS, OUTCOMES):
        _say(f"  airloop land {name} {feed} {table}{options}")
    _say(
        f"On the platform (airloop up): {name}__inbox sees the files and runs {name}__data for each period; then start"
    )
    _say(f"{name}__training with the cutoff {draft.plan.cutoff:%Y-%m-%dT%H:%M:%SZ}. Without it, here:")
    _say(f"  for stage in {_DATA}; do airloop run $stage {name} || break; done")
    _say(f"  for candidate in {candidates}; do airloop run tune {name} --option candidate=$candidate; done")
    _say(f"  for stage in train evaluate decide; do airloop run $stage {name} || break; done")


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
