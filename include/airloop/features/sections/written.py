"""The sections as they are written in features.sql."""

import re
from dataclasses import dataclass

from airloop.config import Pipeline, text_file
from airloop.errors import ConfigError
from airloop.settings import Settings

_HEADING = re.compile(
    r"^-- (table|view): ([a-z][a-z0-9_]*)(?: through ([A-Za-z_]\w*))?\s*$|^-- (examples|labels)\s*$", re.MULTILINE
)
# A comment that a person may have meant as a heading.
_NEARLY = re.compile(r"^[ \t]*--[ \t]*(?:table|views?|examples?|labels?)\b.*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One named query; `kind` is table, view, examples or labels.

    Attributes:
        through: The function of transforms.py that its rows go through; None when they stay as the query made them.
        line: The line of features.sql on which the query begins.
    """

    kind: str
    name: str
    sql: str
    through: str | None = None
    line: int = 1


def read_sections(pipeline: Pipeline, settings: Settings) -> tuple[Section, ...]:
    """The sections of a pipeline's features.sql, in file order.

    Raises:
        ConfigError: No file, no view, not exactly one `-- examples` and one `-- labels`, a name used twice.
    """
    path = settings.pipelines_dir / pipeline.name / "features.sql"
    if not path.is_file():
        raise ConfigError(f"{path}: missing; it holds the pipeline's views, examples and labels")
    text = text_file.read(path)
    headings = list(_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)][: len(headings)]
    sections = tuple(_section(heading, text, end) for heading, end in zip(headings, ends, strict=True))
    names = [section.name for section in sections]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not {"examples", "labels"} <= set(names) or "view" not in {section.kind for section in sections}:
        raise ConfigError(
            f"{path}: needs one `-- examples`, one `-- labels` and at least one `-- view: NAME` section; "
            f"found {names}" + (f", twice: {twice}" if twice else _nearly_headings(text))
        )
    return sections


def _nearly_headings(text: str) -> str:
    """The comments that begin like a heading and are none, with their lines."""
    near = [comment for comment in _NEARLY.finditer(text) if not _HEADING.match(text, comment.start())]
    lines = [f"line {text.count(chr(10), 0, comment.start()) + 1}: {comment[0].strip()!r}" for comment in near[:3]]
    return f"; not a heading, which has nothing else on its line: {', '.join(lines)}" if lines else ""


def _section(heading: re.Match[str], text: str, end: int) -> Section:
    written = text[heading.end() : end]
    begins = heading.end() + len(written) - len(written.lstrip())
    return Section(
        kind=heading[1] or heading[4],
        name=heading[2] or heading[4],
        sql=written.strip().rstrip(";"),
        through=heading[3],
        line=text.count("\n", 0, begins) + 1,
    )


def feature_sections(pipeline: Pipeline, settings: Settings) -> tuple[Section, ...]:
    """The sections that make features: tables and views."""
    return tuple(section for section in read_sections(pipeline, settings) if section.kind in ("table", "view"))


def view_names(pipeline: Pipeline, settings: Settings) -> tuple[str, ...]:
    """Names of the views, in file order."""
    return tuple(section.name for section in read_sections(pipeline, settings) if section.kind == "view")
