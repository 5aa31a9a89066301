"""What a person has still to decide: the comments `decide:` in the four files of a pipeline."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airloop.settings import Settings

_DECIDE = re.compile(r"(?:^|\s)(?:#|--) decide: (.+?)\s*$")


@dataclass(frozen=True)
class Undecided:
    """One assumption.

    Attributes:
        setting: What the line sets; empty when the comment stands alone.
    """

    path: Path
    line: int
    setting: str
    assumed: str


def left_to_decide(name: str, settings: Settings) -> tuple[Undecided, ...]:
    """Every `# decide: ...` (`-- decide: ...` in SQL) of a pipeline's files, in the order of files and lines."""
    folder = settings.pipelines_dir / name
    files = [folder / file for file in ("pipeline.yaml", "features.sql", "expectations.yaml", "transforms.py")]
    return tuple(
        open_point for path in [*files, settings.feature_repo_dir / f"{name}.py"] for open_point in _of_file(path)
    )


def _of_file(path: Path) -> Iterator[Undecided]:
    if path.is_file():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if mark := _DECIDE.search(line):
                yield Undecided(path, number, line[: mark.start()].strip(), mark[1])
