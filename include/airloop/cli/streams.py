"""Streams: what waits in them, what could not be read, and consuming them without a platform."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import AsJson, checked, console, table, write_line
from airloop.errors import AirloopError, ConfigError
from airloop.settings import load_settings

if TYPE_CHECKING:
    from airloop.sources.brokers.broker import Broker, DeadLetter

_SHOWN = 50
_MOST = 10_000
_FEED = typer.Argument(help="The streamed feed.")

app = typer.Typer(no_args_is_help=True, help="Feeds whose rows come as events (source: {kind: stream}).")


@app.command("list", epilog="Example: airloop streams list --json")
def streams_list(
    pipeline: Annotated[str | None, typer.Argument(help="One pipeline; default all.")] = None, as_json: AsJson = False
) -> None:
    """Every declared stream: events nobody took yet, those taken and not landed, and dead letters."""
    from airloop.sources.streams.declared import open_broker
    from airloop.sources.streams.service import declared_streams

    settings, rows = checked(pipeline) if pipeline else load_settings(), []
    for stream in declared_streams(settings, pipeline):
        row = {"pipeline": stream.pipeline.name, "feed": stream.feed, "stream": stream.name}
        try:
            broker = open_broker(stream, settings)
            depth = broker.depth()
            broker.close()
            rows.append({**row, "waiting": depth.waiting, "pending": depth.pending, "dead": depth.dead, "problem": ""})
        except AirloopError as error:
            rows.append({**row, "waiting": None, "pending": None, "dead": None, "problem": str(error)})
    if as_json:
        typer.echo(json.dumps(rows))
    elif rows:
        names = ("pipeline", "feed", "stream", "waiting", "pending", "dead", "problem")
        console.print(table(names, [[_cell(row[name]) for name in names] for row in rows]))
    else:
        console.print("no pipeline declares a stream: write source: {kind: stream} at a feed")


@app.command("url", epilog="Example: airloop streams url PIPELINE FEED")
def streams_url(pipeline: str, feed: Annotated[str, _FEED]) -> None:
    """Print the address for producers, password included, and the name of the stream."""
    from airloop.config import load_pipeline
    from airloop.sources.streams.declared import stream_of, url_of

    settings = load_settings()
    stream = stream_of(load_pipeline(pipeline, settings), feed)
    typer.echo(f"{url_of(stream, settings)} {stream.name}")


@app.command("send", epilog="Example: airloop streams send PIPELINE FEED events.jsonl")
def streams_send(
    pipeline: str,
    feed: Annotated[str, _FEED],
    events: Annotated[Path, typer.Argument(help="A JSON object a line; - reads standard input.")],
) -> None:
    """Write events into a stream, as a producer does; nothing is checked here."""
    # Bytes as they are: a dead letter may be no text, and is sent again like others.
    content = sys.stdin.buffer.read() if str(events) == "-" else events.read_bytes()
    payloads = [line for line in content.splitlines() if line.strip()]
    with _broker(pipeline, feed) as broker:
        broker.send(payloads)
        console.print(f"{len(payloads)} events sent to {broker.address.stream}", markup=False)


@app.command("dead", epilog="Example: airloop streams dead PIPELINE FEED --out dead.jsonl")
def streams_dead(
    pipeline: str,
    feed: Annotated[str, _FEED],
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="Write the events here, to repair and send them.")] = None,
) -> None:
    """Events that could not be read, each with the reason; rows that break a rule are in `airloop quarantine`."""
    if out is not None and out.exists():
        raise ConfigError(f"{out} exists, perhaps with repaired events; give another name, or remove it")
    with _broker(pipeline, feed) as broker:
        letters = broker.dead_letters(_MOST)
    if out is not None:
        out.write_bytes(b"".join((letter.event.payload or b"").replace(b"\n", b" ") + b"\n" for letter in letters))
        write_line(
            f"{len(letters)} events written to {out}: repair them, then airloop streams send {pipeline} {feed} {out} "
            f"and airloop streams drop {pipeline} {feed}"
        )
    elif as_json:
        typer.echo(json.dumps([_as_json(letter) for letter in letters]))
    elif letters:
        shown = [(one["id"], one["arrived_at"], one["reason"], one["event"][:200]) for one in map(_as_json, letters)]
        console.print(table(("id", "arrived", "why", "event"), shown[-_SHOWN:]))
    else:
        console.print("no dead letter")


@app.command("drop", epilog="Example: airloop streams drop PIPELINE FEED --until 1577836800000-0")
def streams_drop(
    pipeline: str,
    feed: Annotated[str, _FEED],
    until: Annotated[str | None, typer.Option(help="Id of the last one to remove; default all.")] = None,
) -> None:
    """Remove dead letters that were answered."""
    with _broker(pipeline, feed) as broker:
        console.print(f"{broker.drop_dead_letters(until)} dead letters removed")


@app.command("run", epilog="Example: airloop streams run")
def streams_run(
    pipeline: Annotated[str | None, typer.Argument(help="One pipeline's streams; default all.")] = None,
) -> None:
    """Consume the declared streams until Ctrl-C; `airloop up` does it as the service `streams`."""
    from airloop.sources.streams.__main__ import main

    if pipeline:
        checked(pipeline)
    raise typer.Exit(main(pipeline))


@contextmanager
def _broker(pipeline: str, feed: str) -> "Iterator[Broker]":
    from airloop.config import load_pipeline
    from airloop.sources.streams.declared import open_broker, stream_of

    settings = load_settings()
    broker = open_broker(stream_of(load_pipeline(pipeline, settings), feed), settings)
    try:
        yield broker
    finally:
        broker.close()


def _as_json(letter: "DeadLetter") -> dict[str, str]:
    event = letter.event
    return {
        "id": event.id,
        "arrived_at": f"{event.arrived_at:%Y-%m-%dT%H:%M:%SZ}",
        "reason": letter.reason,
        "event": (event.payload or b"").decode(errors="replace"),
    }


def _cell(value: object) -> str:
    return "?" if value is None else str(value)
