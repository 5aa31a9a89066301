"""The prediction log: into the lake, and to another version."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from airloop.cli.output import AsJson, console, read_declared
from airloop.errors import ConfigError
from airloop.settings import load_settings

app = typer.Typer()


@app.command("collect-log", epilog="Example: airloop collect-log PIPELINE")
def collect_log(
    pipeline: Annotated[str | None, typer.Argument(help="All pipelines unless given.")] = None, as_json: AsJson = False
) -> None:
    """Move what the prediction service logged into the lake, compare its features with the offline ones, land feedback.

    Twice adds nothing.
    """
    from airloop.config import load_pipeline, pipeline_names
    from airloop.serving import collect, feedback_files, skew

    settings = load_settings()
    done: dict[str, Any] = {}
    broken: list[str] = []
    for name in [pipeline] if pipeline else pipeline_names(settings):
        try:
            declared = load_pipeline(name, settings)
        except ConfigError as error:
            broken.append(str(error))  # the log of all others is collected
            continue
        collected = collect.collect(declared, settings)
        views = [one.to_json() for one in skew.check(declared, collected.days, settings)]
        files = list(feedback_files.land(declared, settings))
        done[name] = {**collected.to_json(), "skew": views, "feedback_files": files}
    if as_json:
        typer.echo(json.dumps(done))
    else:
        _show_collected(done)
    if broken:
        raise ConfigError("\n".join(broken))


def _show_collected(done: Mapping[str, Any]) -> None:
    for name, what in done.items():
        says = f"{what['records']} records, {what['online']} new in the lake, {what['scored']} of them scored rows"
        console.print(f"{name}: {says}; {len(what['feedback_files'])} feedback files landed", markup=False)
        for view in what["skew"]:
            compared = f"{view['rows']} values as offline" if not view["differing"] else view["example"]
            says = f"  {view['view']}: {compared}; {view['differing']} differ, {view['late']} late, {view['gone']} gone"
            console.print(says, markup=False)


@app.command("replay-log", epilog="Example: airloop replay-log PIPELINE --version 7 --start 2013-02-01T00:00:00Z")
def replay_log(
    pipeline: str,
    version: Annotated[int, typer.Option(min=1, help="The version to ask.")],
    start: Annotated[str, typer.Option(help="Answers from this instant on, like 2013-02-01T00:00:00Z.")],
    end: Annotated[str, typer.Option(help="Answers before this instant; now unless given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask a version what was really asked in an interval (wall clock), and compare its answers with the logged ones."""
    from datetime import UTC, datetime

    from airloop.records import Window, parse_instant
    from airloop.serving import replay_log as replaying

    declared, settings = read_declared(pipeline)
    window = Window(parse_instant(start), parse_instant(end) if end else datetime.now(UTC))
    replayed = replaying.replay_log(declared, window, version, settings)
    if as_json:
        typer.echo(json.dumps(replayed.to_json()))
        return
    by = ", ".join(f"version {number}: {count}" for number, count in replayed.answered_by.items())
    console.print(
        f"{replayed.rows} answers of {window} (answered by {by}), asked of version {version} again:", markup=False
    )
    console.print(
        f"  {replayed.equal} equal; replayed - logged: mean {replayed.mean_difference:+.6f}, mean size "
        f"{replayed.mean_absolute_difference:.6f}, largest {replayed.largest_difference:.6f}",
        markup=False,
    )
