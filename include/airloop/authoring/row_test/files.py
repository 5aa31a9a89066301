"""The files of row tests, `include/pipelines/<name>/tests/*.yaml`: every scalar is a text, as files hold them."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from airloop.config import Pipeline, text_file
from airloop.config.nearest import nearest
from airloop.config.positions import line_of
from airloop.errors import ConfigError, DataContractError
from airloop.records import Window
from airloop.settings import Settings

Row = dict[str, Any]
_KEYS = ("given", "window", "expect")
_MISSING = ("", "null", "~")


@dataclass(frozen=True)
class RowTest:
    """One file.

    Attributes:
        given: Feed -> rows; a missing value is None, anything else a text.
        window: What features.sql sees as its window; None for all that is given.
        expect: View, `examples` or `labels` -> rows of the columns that are compared.
    """

    path: Path
    given: Mapping[str, list[Row]]
    window: Window | None
    expect: Mapping[str, list[Row]]


def read_tests(pipeline: Pipeline, settings: Settings) -> tuple[RowTest, ...]:
    """Every test of a pipeline, by file name.

    Raises:
        ConfigError: There is none, or one is no such file; names file, line and the nearest valid word.
    """
    folder = settings.pipelines_dir / pipeline.name / "tests"
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ConfigError(
            f"{folder}: no test is there; write one, like first.yaml:\n"
            f"given:\n  {next(iter(pipeline.feeds))}:\n    - {{COLUMN: VALUE, ...}}\n"
            "expect:\n  labels:\n    - {COLUMN: VALUE, ...}"
        )
    return tuple(_read(pipeline, path) for path in paths)


def _read(pipeline: Pipeline, path: Path) -> RowTest:
    text = text_file.read(path)
    try:
        # Texts, as they stand: 007 stays 007, and each type reads them by the rules of landing.
        content = yaml.load(text, yaml.BaseLoader) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}:1: needs the keys given and expect")
    _refuse_others(path, text, (), content, _KEYS)
    for name in ("given", "expect"):
        if not isinstance(content.get(name), dict):
            raise ConfigError(f"{path}:{line_of(text, [name])}: `{name}` needs a table by name, each a list of rows")
    _refuse_others(path, text, ("given",), content["given"], pipeline.feeds)
    tables = {
        part: {name: _rows(path, text, (part, name), rows) for name, rows in content[part].items()}
        for part in ("given", "expect")
    }
    for name, rows in tables["given"].items():
        for number, row in enumerate(rows):
            _refuse_others(path, text, ("given", name, number), row, pipeline.feeds[name].columns)
    return RowTest(path, tables["given"], _window(path, text, content.get("window")), tables["expect"])


def _rows(path: Path, text: str, place: tuple[str, str], rows: Any) -> list[Row]:
    where = f"{path}:{line_of(text, place)}: {'.'.join(place)}"
    if isinstance(rows, str) and rows.endswith(".csv"):
        table = path.parent / rows
        if not table.is_file():
            raise ConfigError(f"{where}: there is no file {table}")
        rows = list(csv.DictReader(text_file.read(table).splitlines(keepends=True)))
    if rows in _MISSING:
        rows = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{where}: is neither a list of rows like {{COLUMN: VALUE}} nor the name of a .csv beside it")
    return [{name: None if value in _MISSING else value for name, value in row.items()} for row in rows]


def _refuse_others(path: Path, text: str, place: tuple[Any, ...], names: Iterable[str], valid: Iterable[str]) -> None:
    known = list(valid)
    for name in names:
        if name not in known:
            where = f"{path}:{line_of(text, [*place, name])}"
            raise ConfigError(f"{where}: {name!r} is none of {', '.join(known)}{nearest(name, known)}")


def _window(path: Path, text: str, bounds: Any) -> Window | None:
    if bounds is None:
        return None
    try:
        return Window.parse(bounds["start"], bounds["end"])
    except (KeyError, TypeError, DataContractError) as error:
        where = f"{path}:{line_of(text, ['window'])}"
        raise ConfigError(f"{where}: write window: {{start: 2021-03-01, end: 2021-04-01}} ({error})") from error
