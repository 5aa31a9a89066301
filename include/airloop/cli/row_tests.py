"""Tests of a pipeline's features.sql on a few written rows."""

from typing import Annotated

import typer

from airloop.cli.output import counted, write_line
from airloop.errors import DataContractError
from airloop.settings import load_settings

app = typer.Typer()


@app.command("test", epilog="Example: airloop test PIPELINE")
def run_tests(pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")]) -> None:
    """Run features.sql over the rows in include/pipelines/NAME/tests/*.yaml and compare with what they expect."""
    from airloop.authoring.row_test import differences, read_tests
    from airloop.config import load_pipeline
    from airloop.feast_stores import feast_boot

    settings = load_settings()
    declared = load_pipeline(pipeline, settings)
    feast_boot.neutralise_typeguard()
    failed = 0
    for test in read_tests(declared, settings):
        lines = differences(declared, test, settings)
        failed += bool(lines)
        rows = sum(map(len, test.expect.values()))
        result = f"ok, {rows} rows as expected" if not lines else counted(len(lines), "difference")
        write_line(f"{test.path.relative_to(settings.project_dir)}: {result}")
        for line in lines:
            write_line(f"  {line}")
    if failed:
        gives = "does not give what it expects" if failed == 1 else "do not give what they expect"
        raise DataContractError(f"{counted(failed, 'test')} of {pipeline} {gives}")
