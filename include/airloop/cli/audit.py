"""For whoever checks a version from outside."""

from pathlib import Path
from typing import Annotated

import typer

from airloop.cli.output import errors, read_declared, write_line

app = typer.Typer()


@app.command(epilog="Example: airloop pack PIPELINE 3 --out audit.zip")
def pack(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    version: Annotated[int, typer.Argument(help="A registered version.")],
    out: Annotated[Path | None, typer.Option(help="The .zip to write; PIPELINE-vN.zip here unless given.")] = None,
) -> None:
    """Everything a version rests on in one archive: card, ledger with its proof, reports, lineage, environment, SBOM.

    The same state gives the same bytes. A ledger that does not verify is packed with what is wrong with it.
    """
    from airloop.authoring.audit import pack as packs

    declared, settings = read_declared(pipeline)
    path = out or Path(f"{pipeline}-v{version}.zip")
    packed = packs.write(declared, version, settings, path)
    write_line(f"{path}: {packed['files']} files, SHA-256 {packed['sha256']}")
    if packed["problems"]:
        errors.print(f"the ledger does not verify, and the archive says so: {packed['problems'][0]}", markup=False)
        raise typer.Exit(1)
