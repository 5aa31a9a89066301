"""`airloop pipelines new`: the four files of a pipeline, inferred from a table of its data."""

import logging
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from airloop.authoring.scaffold.columns import find_columns
from airloop.authoring.scaffold.database import Database, Query, asked_database
from airloop.authoring.scaffold.decisions import left_to_decide
from airloop.authoring.scaffold.draft import EVENTS, OUTCOMES, Draft
from airloop.authoring.scaffold.example_test import example_path, example_test
from airloop.authoring.scaffold.joined import asked_tables, read_joined
from airloop.authoring.scaffold.named_roles import NamedRoles
from airloop.authoring.scaffold.plan import make_plan
from airloop.authoring.scaffold.roles import find_roles
from airloop.authoring.scaffold.texts import four_files, written_paths
from airloop.errors import AirloopError, ConfigError
from airloop.settings import Settings
from airloop.sources.land_dialect import Dialect
from airloop.sources.land_tables import Table, read_table

__all__ = [
    "EVENTS",
    "OUTCOMES",
    "Draft",
    "NamedRoles",
    "Query",
    "asked_tables",
    "example_path",
    "left_to_decide",
    "new_pipeline",
    "written_paths",
]

logger = logging.getLogger(__name__)

# Two underscores part a pipeline from its stage group in the name of a DAG.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME = 50


def new_pipeline(
    name: str,
    path: Path | Query,
    named: NamedRoles,
    dialect: Dialect,
    settings: Settings,
    *,
    tables: Sequence[tuple[str, Path, str]] = (),
) -> Draft:
    """Write pipeline.yaml, features.sql, expectations.yaml and feature_repo/<name>.py, and a row test; all or none.

    The files are written beside their place, checked as `airloop pipelines check` checks, and then moved.

    Args:
        path: A file, or a query on a database, which the feeds then fetch from.
        tables: (feed, file, join column) of static tables beside the first; see joined.asked_tables.

    Raises:
        ConfigError: Not a name, the pipeline exists, or the table lacks a column for a role; nothing was written.
        DataContractError: The table is unreadable, empty or too small, or holds what landing would refuse.
    """
    _refuse_name(name, settings)
    table, database = (read_table(path, dialect), None) if isinstance(path, Path) else _queried(path, settings)
    roles = find_roles(table, named)
    columns, left_out = find_columns(table, roles)
    joined = read_joined(tables, table, columns, dialect)
    draft = Draft(name, table, dialect, roles, columns, left_out, make_plan(table, roles), joined, database)
    _write(name, four_files(draft, settings) | {example_path(name): example_test(draft)}, settings)
    logger.info("%s: written from %s", name, table.path)
    return draft


def _queried(query: Query, settings: Settings) -> tuple[Table, Database]:
    from airloop.sources.database_table import read_query

    table = read_query(query.connection, query.query, settings)
    return table, asked_database(query, table)


def _refuse_name(name: str, settings: Settings) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ConfigError(
            f"{name!r} is not a valid pipeline name: at most {_LONGEST_NAME} small letters, digits and single "
            "underscores between them, a letter first, like taxi_tips"
        )
    for there in (settings.pipelines_dir / name, settings.feature_repo_dir / f"{name}.py"):
        if there.exists():
            raise ConfigError(f"{there} exists, and is not overwritten: choose another name, or remove it first")


def _write(name: str, texts: Mapping[str, str], settings: Settings) -> None:
    settings.pipelines_dir.mkdir(parents=True, exist_ok=True)
    settings.feature_repo_dir.mkdir(parents=True, exist_ok=True)
    # Imports for seconds, and most tables are refused before it is needed.
    from airloop.authoring.pipeline_check import check_pipeline

    # Not in pipelines_dir, where every folder is a pipeline; beside it, where a rename is one step.
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=settings.pipelines_dir.parent))
    definitions = settings.feature_repo_dir / f"{name}.py"
    try:
        for relative, text in texts.items():
            (staging / relative).parent.mkdir(parents=True, exist_ok=True)
            (staging / relative).write_text(text, encoding="utf-8")
        staged = settings.model_copy(update={"project_dir": staging})
        check_pipeline(name, staged)
        _drop_failing_example(name, staged)
        (staging / "feature_repo" / f"{name}.py").rename(definitions)
        try:
            (staging / "include" / "pipelines" / name).rename(settings.pipelines_dir / name)
        except BaseException:
            definitions.unlink(missing_ok=True)
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _drop_failing_example(name: str, staged: Settings) -> None:
    """An example that fails from the beginning is useless: of a table whose texts SQL writes in another way."""
    from airloop.authoring.row_test import differences, read_tests
    from airloop.config import load_pipeline

    pipeline, path = load_pipeline(name, staged), staged.project_dir / example_path(name)
    try:
        fails = any(differences(pipeline, test, staged) for test in read_tests(pipeline, staged))
    except AirloopError as error:
        logger.info("%s: no example was written: %s", name, error)
        fails = True
    if fails:
        shutil.rmtree(path.parent)
