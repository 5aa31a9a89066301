"""transforms.py of a pipeline: the Python functions its features.sql sends rows through (`-- view: NAME through f`).

A function takes the section's rows as a pyarrow.Table and returns as many rows, in the same order, with the columns it
made: an image's bytes become an array, a text its embedding. It sees what the section's SQL selected and nothing else,
so that the leak check can take rows away from it; what it reads beside its argument no check can see.
"""

import ast
import runpy
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from airloop.config import Pipeline
from airloop.config.nearest import nearest
from airloop.errors import ConfigError
from airloop.features import python_lines, sections
from airloop.features.sections import Section
from airloop.settings import Settings


def apply(
    pipeline: Pipeline, section: Section, rows: pa.Table, settings: Settings, *, unchanged: Iterable[str]
) -> pa.Table:
    """Send a section's rows through its function.

    Args:
        unchanged: Columns (those that `rows` has) that have to come out as they went in; they keep their types too.

    Raises:
        ConfigError: No such file or function, the function fails, or returns something else than a table with as many
            rows and the kept columns unchanged.
    """
    path = _path(pipeline, settings)
    function = _function(pipeline, section, settings)
    place = f"{path}: {section.through} of section {section.name}"
    try:
        transformed = function(rows)
    except Exception as error:
        line = python_lines.line_of(error, path)
        raise ConfigError(f"{place} failed in line {line}: {python_lines.brief(error)}") from error
    if not isinstance(transformed, pa.Table):
        raise ConfigError(f"{place} returned a {type(transformed).__name__}; it has to return a pyarrow.Table")
    if transformed.num_rows != rows.num_rows:
        raise ConfigError(
            f"{place} returned {transformed.num_rows} rows for {rows.num_rows}; it has to return one for each"
        )
    for name in (name for name in unchanged if name in rows.schema.names):
        transformed = _with_kept(transformed, rows[name], name, place=place)
    return transformed


def check(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """Names of the functions that features.sql asks for, in its order, each found; empty when it asks for none.

    Raises:
        ConfigError: The file is missing or does not run, or has no function of that name.
    """
    through = [section for section in sections.feature_sections(pipeline, settings) if section.through]
    for section in through:
        _function(pipeline, section, settings)
    return tuple(dict.fromkeys(section.through for section in through if section.through))


def source(pipeline: Pipeline, settings: Settings) -> str:
    """The file's code without comments and layout: changing those changes no feature.

    Raises:
        ConfigError: The file is missing, or is not Python.
    """
    return ast.unparse(_parse(_path(pipeline, settings)))


def _path(pipeline: Pipeline, settings: Settings) -> Path:
    return settings.pipelines_dir / pipeline.name / "transforms.py"


def _parse(path: Path) -> ast.Module:
    if not path.is_file():
        raise ConfigError(f"{path}: missing; a section of features.sql goes through one of its functions")
    try:
        return ast.parse(path.read_text(encoding="utf-8-sig"))
    except (SyntaxError, ValueError) as error:
        line = python_lines.line_of(error, path)
        raise ConfigError(f"{path}:{line}: is not Python: {python_lines.brief(error)}") from error


def _function(pipeline: Pipeline, section: Section, settings: Settings) -> Any:
    path, name = _path(pipeline, settings), str(section.through)
    names = [node.name for node in _parse(path).body if isinstance(node, ast.FunctionDef)]
    if name not in names:
        raise ConfigError(
            f"{pipeline.name}/features.sql:{section.line}, section {section.name}: transforms.py has no function "
            f"{name!r}{nearest(name, names)} (its functions: {', '.join(names) or 'none'})"
        )
    try:
        return _namespace(path, path.read_text(encoding="utf-8"))[name]
    except (Exception, SystemExit) as error:
        line = python_lines.line_of(error, path)
        raise ConfigError(f"{path}:{line}: cannot be loaded: {python_lines.brief(error)}") from error


@cache
def _namespace(path: Path, _text: str) -> dict[str, Any]:
    # Not imported: byte code is found by second and size, so an edit of the same length could be missed.
    return runpy.run_path(str(path), run_name=f"transforms_{path.parent.name}")


def _with_kept(transformed: pa.Table, column: pa.ChunkedArray, name: str, *, place: str) -> pa.Table:
    at = transformed.schema.get_field_index(name)
    if at < 0:
        raise ConfigError(f"{place} lost the column {name!r}; it has to come out unchanged")
    try:
        same = transformed[name].cast(column.type).equals(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        same = False
    if not same:
        raise ConfigError(f"{place} changed the column {name!r}, or the order of the rows; both have to stay")
    return transformed.set_column(at, name, column)
