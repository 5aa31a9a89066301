"""What a project's first pipeline is made of: the example's table, or one of the user's own."""

import re
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from airloop.authoring.scaffold import EVENTS, OUTCOMES, Draft, NamedRoles, example_path, new_pipeline, written_paths
from airloop.errors import ConfigError
from airloop.settings import Settings
from airloop.sources.land_dialect import Dialect
from airloop_platform.project import shipped

FEEDS = (EVENTS, OUTCOMES)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Start:
    """A table, and what is said of it.

    Attributes:
        pipeline: Its name.
        about: What the example's data are and whose; empty for a table of the user's own.
    """

    pipeline: str
    table: Path
    roles: NamedRoles
    dialect: Dialect
    about: str = ""


def example(pipeline: str | None) -> Start:
    """The shipped table, under another name if one is asked for."""
    folder = shipped.root() / "examples"
    declared = tomllib.loads((folder / "example.toml").read_text(encoding="utf-8"))
    named = NamedRoles.checked(tuple(declared["key"]), declared["time"], declared["label"], declared["task"])
    table = folder / declared["table"]
    return Start(pipeline or declared["pipeline"], table, named, Dialect(), declared["about"].strip())


def pipeline_files(start: Start) -> tuple[dict[str, bytes], Draft]:
    """The pipeline's four files, its row test and its table, by path below the project, and what was inferred.

    Raises:
        ConfigError: See airloop.authoring.scaffold.new_pipeline; also a table's name that make cannot take.
        DataContractError: As there.
    """
    if not _PLAIN.fullmatch(start.table.name):
        raise ConfigError(
            f"--from {start.table}: rename it to letters, digits, dots, dashes and underscores: the Makefile names it"
        )
    with tempfile.TemporaryDirectory(prefix="airloop-init-") as folder:
        settings = Settings(project_dir=Path(folder), home=Path(folder) / "home")
        for name, content in shipped.thin_files().items():
            (settings.project_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (settings.project_dir / name).write_bytes(content)
        draft = new_pipeline(start.pipeline, start.table, start.roles, start.dialect, settings)
        names = [*written_paths(start.pipeline), example_path(start.pipeline)]
        # Of a table whose texts SQL writes in another way there is no example.
        there = [name for name in names if (settings.project_dir / name).exists()]
        files = {name: (settings.project_dir / name).read_bytes() for name in there}
    return files | {f"data/{start.table.name}": start.table.read_bytes()}, draft
