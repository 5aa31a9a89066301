"""Policies compared on a pipeline's past."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import AsJson, console, progress, read_declared, table
from airloop.errors import ConfigError

if TYPE_CHECKING:
    from airloop.authoring.backtest import Backtest, Outcome

app = typer.Typer()


@app.command(epilog="Example: airloop backtest PIPELINE --policies declared,calendar --out policies.html")
def backtest(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    policies: Annotated[
        str,
        typer.Option(help="never, always, calendar, drift, declared: A or A,B; default all. never is always there."),
    ] = "",
    every: Annotated[str, typer.Option(help="How often a policy looks: daily, weekly or monthly.")] = "monthly",
    out: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay a pipeline's past under several policies, in data time, and compare what each would have come to.

    Uses what the installation has built, or lets the files go through the data stages in a place of its own; trains,
    promotes and records nothing.
    """
    declared, settings = read_declared(pipeline)
    if every not in ("daily", "weekly", "monthly"):
        raise ConfigError(f"--every {every}: take daily, weekly or monthly")
    if out is not None and not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.absolute().parent}; make it first")
    # Imports for seconds: what was typed is checked first.
    from airloop.authoring import backtest as backtests
    from airloop.stores.files import publish

    chosen = backtests.find_policies(tuple(name.strip() for name in policies.split(",") if name.strip()))
    logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of every database it makes
    past = backtests.past_of(declared, settings, every=every, on_progress=progress)  # type: ignore[arg-type]
    measured = backtests.backtest(past, chosen, every=every, on_progress=progress)  # type: ignore[arg-type]
    if out is not None:
        publish(str(out.absolute()), backtests.page(measured).encode(), {})
        progress(f"written {out}")
    if as_json:
        typer.echo(json.dumps(measured.to_json(), indent=2))
    else:
        _show(measured)


def _show(measured: "Backtest") -> None:
    from airloop.config import METRICS

    first, last = measured.windows[0].start, measured.windows[-1].end
    console.print(
        f"{measured.pipeline}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, {measured.rows:,} labelled rows", soft_wrap=True
    )
    metrics = list(measured.outcomes[0].pooled)
    titles = [title for metric in metrics for title in (METRICS[metric].title, "mean of windows")]
    head = [
        "policy",
        *titles,
        f"gain in {METRICS[measured.metric].title} over never",
        "trainings",
        "promotions",
        "rollbacks",
        "seconds",
    ]
    console.print(table(head, [_row(item, metrics) for item in measured.outcomes]))


def _row(item: "Outcome", metrics: list[str]) -> list[str]:
    measured = [text for metric in metrics for text in (_pooled(item, metric), _number(item.mean[metric]))]
    gain = "" if item.gain is None else f"{item.gain.gain:+.4f} [{item.gain.lower:+.4f}, {item.gain.upper:+.4f}]"
    counts = [str(len(item.trainings)), str(item.promotions), str(item.rollbacks)]
    return [item.policy, *measured, gain, *counts, f"{item.seconds:.0f}"]


def _pooled(item: "Outcome", metric: str) -> str:
    pooled = item.pooled[metric]
    return "-" if pooled is None else f"{pooled[0]:.4f} [{pooled[1]:.4f}, {pooled[2]:.4f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
