"""Rows and files that did not go on: look at them, repair them, let them in again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from airloop.cli.output import AsJson, console, table, write_line
from airloop.config.dag_ids import dag_of
from airloop.errors import ConfigError, UpstreamUnavailable
from airloop.settings import load_settings

_SHOWN_ROWS = 50

app = typer.Typer(no_args_is_help=True, help="Rows that were refused, and files that were set aside.")


@app.command("list", epilog="Example: airloop quarantine list PIPELINE --feed FEED --csv refused.csv")
def quarantine_list(
    pipeline: str,
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    as_json: AsJson = False,
    csv: Annotated[
        Path | None, typer.Option(help="Write the rows here as the feed lands them, to repair them.")
    ] = None,
) -> None:
    """Every row in quarantine, with its window, the rules it breaks and the run that refused it."""
    from airloop.config import load_pipeline
    from airloop.data import quarantine

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    if feed is not None:
        quarantine.declared_feed(declared, feed)
    rows = quarantine.list_rows(declared, settings, feed=feed)
    aside = [item for item in quarantine.files_set_aside(declared, settings) if feed in (None, item.feed)]
    if csv is not None:
        _write_csv(declared, rows, csv)
    elif as_json:
        content = {"rows": [row.to_json() for row in rows], "set_aside": [item.to_json() for item in aside]}
        typer.echo(json.dumps(content))
    else:
        _show(rows, aside)
        for found_feed in dict.fromkeys(row.feed for row in rows):
            write_line(
                f"to repair them: airloop quarantine list {pipeline} --feed {found_feed} --csv repaired.csv, edit it, "
                f"then airloop quarantine release {pipeline} {found_feed} repaired.csv"
            )


@app.command("release", epilog="Example: airloop quarantine release PIPELINE FEED repaired.csv")
def quarantine_release(
    pipeline: str,
    feed: Annotated[str, typer.Argument(help="The feed the rows belong to.")],
    repaired: Annotated[Path, typer.Argument(help="CSV with the feed's columns: rows of `quarantine list --csv`.")],
) -> None:
    """Land repaired rows as corrections; the inbox rebuilds their windows. The same rows again change nothing."""
    from airloop.config import load_pipeline
    from airloop.data.quarantine_release import release

    settings = load_settings()
    done = release(load_pipeline(pipeline, settings), feed, repaired, settings)
    for uri in done.landed:
        write_line(f"landed {uri}")
    for uri in done.before:
        write_line(f"released before, nothing changed: {uri}")
    if done.landed:
        write_line(
            f"{dag_of(pipeline, 'inbox')} starts their windows; without a platform: airloop run data {pipeline} "
            "--start ... --end ...; a row that still breaks a rule comes back"
        )


def _write_csv(pipeline: Any, rows: Sequence[Any], path: Path) -> None:
    from airloop.data import quarantine
    from airloop.stores.files import publish

    feeds = sorted({row.feed for row in rows})
    if len(feeds) != 1:
        says = f"give --feed, one of {', '.join(feeds)}" if feeds else "there is no row in quarantine"
        raise ConfigError(f"--csv writes the rows of one feed: {says}")
    if path.exists():
        raise ConfigError(f"{path} exists, perhaps with repaired rows; give another name, or remove it")
    try:
        publish(str(path), quarantine.to_csv(pipeline.feeds[feeds[0]], [row.values for row in rows]), {})
    except OSError as error:
        raise UpstreamUnavailable(f"{path} cannot be written: {error}") from error
    write_line(f"{len(rows)} rows of {feeds[0]} written to {path}; repair them there, then release them")


def _show(rows: Sequence[Any], aside: Sequence[Any]) -> None:
    cells = [
        (row.feed, f"{row.window_start:%Y-%m-%dT%H:%MZ}", row.rules, row.run, _pairs(row.key), _pairs(row.values))
        for row in rows[:_SHOWN_ROWS]
    ]
    if cells:
        console.print(table(("feed", "window from", "breaks", "run", "key", "row"), cells))
    if len(rows) > _SHOWN_ROWS:
        console.print(f"... and {len(rows) - _SHOWN_ROWS} more (--json or --csv shows all)")
    if aside:
        console.print(table(("feed", "set aside, not read; land it again"), [(item.feed, item.why) for item in aside]))
    if not rows and not aside:
        console.print("nothing is in quarantine, no file is set aside")


def _pairs(values: dict[str, str | None]) -> str:
    return ", ".join(f"{name}={'null' if value is None else value}" for name, value in values.items())
