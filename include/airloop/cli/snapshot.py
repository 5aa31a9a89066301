"""A training set for a notebook."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airloop.cli.output import checked, console, write_line
from airloop.errors import ConfigError
from airloop.settings import Settings

if TYPE_CHECKING:
    from airloop.config import Pipeline
    from airloop.models.training_rows import TrainingRows

app = typer.Typer()


@app.command(epilog="Example: airloop snapshot PIPELINE --cutoff 2013-03-01T00:00:00Z --output rows.parquet")
def snapshot(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    cutoff: Annotated[str, typer.Option(help="Rows whose label is mature by this instant, with its UTC offset.")],
    output: Annotated[
        Path | None, typer.Option(help="Parquet file to write; default below <home>/training_sets/.")
    ] = None,
) -> None:
    """Write the training set of a cutoff for a notebook: point in time, leak-checked, without starting a training."""
    from airloop.records import parse_instant

    settings, instant = checked(pipeline), parse_instant(cutoff)
    if output is not None:
        _refuse_output(output)
    # Imports for seconds: what was typed is checked first.
    from airloop.authoring import notebook
    from airloop.stores import frames

    training_rows = notebook.training_rows(pipeline, cutoff=instant)
    path = output or _default_path(pipeline, instant, training_rows, settings)
    frames.write(training_rows.frame, str(path.absolute()), settings)
    _describe(pipeline, instant, training_rows, settings)
    write_line(f"written   {path}")
    for line in (
        f"\nin a notebook of {sys.executable}",
        f"  import airloop\n  frame = airloop.training_frame({pipeline!r}, cutoff={cutoff!r})",
        "in any other",
        f"  import pandas\n  frame = pandas.read_parquet({str(path.absolute())!r})",
    ):
        write_line(line)


def _refuse_output(output: Path) -> None:
    if output.suffix != ".parquet":
        raise ConfigError(f"--output {output}: a training set is written as parquet; name it {output.stem}.parquet")
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"--output {output}: there is no folder {output.absolute().parent}; make it first")


def _default_path(pipeline: str, cutoff: datetime, training_rows: "TrainingRows", settings: Settings) -> Path:
    return settings.home / "training_sets" / f"{pipeline}-{cutoff:%Y-%m-%dT%H%MZ}-{training_rows.digest[:12]}.parquet"


def _describe(pipeline: str, cutoff: datetime, training_rows: "TrainingRows", settings: Settings) -> None:
    from airloop.config import load_pipeline
    from airloop.features import feature_store

    declared = load_pipeline(pipeline, settings)
    features = feature_store.feature_names(declared, settings)
    unlabelled = int(training_rows.frame["label"].isna().sum())
    lines = [
        f"rows      {len(training_rows.frame):,}, {unlabelled:,} of them without a label",
        *(_part_line(training_rows, part, declared) for part in ("train", "holdout")),
        f"features  {len(features)}: {', '.join(features)}",
        f"leaks     none: rebuilt from what was known at {len(training_rows.leak_checked)} decision times",
        f"digest    {training_rows.digest}",
    ]
    console.print(f"{pipeline}, cutoff {cutoff:%Y-%m-%dT%H:%MZ}")
    for line in lines:
        write_line(line)


def _part_line(training_rows: "TrainingRows", part: str, pipeline: "Pipeline") -> str:
    window = training_rows.train if part == "train" else training_rows.holdout
    rows = training_rows.frame[training_rows.frame["part"] == part]
    labels = rows["label"].dropna()
    match pipeline.prediction.task:
        case "binary" | "anomaly":
            label_summary = f"label rate {labels.mean():.4f}"
        case "regression" | "quantiles":
            label_summary = f"label mean {labels.mean():.4f}"
        case "multiclass":
            counts = [(name, int((labels == number).sum())) for number, name in enumerate(pipeline.prediction.classes)]
            label_summary = "labels " + ", ".join(f"{name} {count:,}" for name, count in counts)
    return f"{part:<9} {len(rows):,} rows decided in {window}, {label_summary}"
