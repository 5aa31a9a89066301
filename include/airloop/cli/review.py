"""Reviews of changed pipelines."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import say, write_line
from airloop.errors import ConfigError
from airloop.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from airloop.authoring.review import Review

app = typer.Typer()


@app.command(epilog="Example: airloop pipelines review PIPELINE --base origin/main --output review.md")
def review(
    name: Annotated[str | None, typer.Argument(help="One pipeline; default those that changed since the base.")] = None,
    base: Annotated[
        str | None, typer.Option(help="Git ref the change goes to; default origin/main, else main, else HEAD.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Markdown file to write; default below <home>/review/.")] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days of data; default what one training with its holdout needs.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A gate that would refuse makes the exit code 1.")] = False,
) -> None:
    """Check a changed pipeline, look for leaks, and backtest it against its champion, in a place of its own.

    The comparison is written as a comment in Markdown. The exit code is 0 when check and leak check pass.
    """
    from airloop.authoring import review as reviews
    from airloop.stores.files import publish

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of every database it makes
    settings = load_settings()
    path = (output or settings.home / "review" / f"{name or 'changed'}.md").absolute()
    if output is not None and not path.parent.is_dir():
        raise ConfigError(f"--output {output}: there is no folder {path.parent}; make it first")
    names = (name,) if name else _changed(settings, base)
    concerned = [
        reviews.review_pipeline(each, settings, base_ref=base, days=days, on_progress=_saying(each)) for each in names
    ]
    publish(str(path), reviews.as_comment(concerned).encode(), {})
    for each in concerned:
        verdict = reviews.verdict(each).replace("**", "").replace("`", "")
        write_line(f"{each.name}: {verdict}")
    write_line(f"written {path}" if concerned else f"no pipeline is concerned; written {path}")
    if not all(_good(each, strict=strict) for each in concerned):
        raise typer.Exit(1)


def _changed(settings: Settings, base: str | None) -> tuple[str, ...]:
    from airloop.authoring import review as reviews
    from airloop.config import pipeline_names

    since = reviews.find_base(settings.project_dir, base)
    return reviews.changed_pipelines(reviews.changed_files(settings.project_dir, since), pipeline_names(settings))


def _saying(name: str) -> "Callable[[str], None]":
    return lambda line: say(f"{name}: {line}")


def _good(result: "Review", *, strict: bool) -> bool:
    refused = result.decision is not None and not result.decision.passed
    return result.failure is None and not (strict and refused)
