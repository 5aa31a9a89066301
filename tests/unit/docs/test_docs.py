"""What the documents name exists: files, make targets, commands, options, variables. No file names an index."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from airloop.settings import Settings
from airloop_platform import cli

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {ROOT / "README.md"})]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!\w+://|mailto:)([^)#\s]*)")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
AIRLOOP = re.compile(r"^(?:\$ )?(?:\S*/)?airloop +(\S.*)$", re.MULTILINE)
VARIABLE = re.compile(r"\bAIRLOOP_([A-Z_]+)\b")
FILE = re.compile(r"[\w.-]+\.(?:md|py|sql|ya?ml|toml|lock|json|csv|txt|sh)|Makefile|Dockerfile")
PLACEHOLDER = re.compile(r"[<>*{}$~|()\s]|://|\bNAME\b|\.\.\.")
# Made by a run, not part of the repository; and the interfaces of others.
ELSEWHERE = (".airloop", "/", "text/", "application/", "api/")
# Put together, or this file would name them.
INDEXES = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("yarnpkg", "com"))
]


@cache
def _files() -> frozenset[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return frozenset(name for name in listed if (ROOT / name).is_file())


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def _command() -> Any:
    """The commands and their options: Typer takes a tenth of a second for them, and documents name hundreds."""
    return typer.main.get_command(cli.app)


def _code(text: str) -> list[str]:
    return [*(block.group() for block in FENCE.finditer(text)), *SPAN.findall(FENCE.sub("", text))]


def _faults(text: str, folder: Path = ROOT) -> list[str]:
    """Everything a document names that does not exist."""
    code = "\n".join(_code(text))
    spans = [span.strip() for span in SPAN.findall(FENCE.sub("", text))]
    return [
        *(f"file {span}" for span in spans if _is_path(span) and not _exists(span, folder)),
        *(f"link {link}" for link in LINK.findall(FENCE.sub("", text)) if link and not (folder / link).exists()),
        *(f"make {target}" for target in MAKE.findall(code) if target not in _targets()),
        *(f"variable AIRLOOP_{name}" for name in VARIABLE.findall(text) if name.lower() not in Settings.model_fields),
        *(fault for command in AIRLOOP.findall(code) for fault in _command_faults(command)),
    ]


def _is_path(span: str) -> bool:
    if PLACEHOLDER.search(span) or span.startswith(ELSEWHERE):
        return False
    first, slash, _ = span.partition("/")
    return (
        bool(FILE.fullmatch(span.rsplit("/", 1)[-1])) or span.endswith("/") or (bool(slash) and (ROOT / first).is_dir())
    )


def _exists(span: str, folder: Path) -> bool:
    if "/" not in span:
        return any(name.rsplit("/", 1)[-1] == span for name in _files())
    return (ROOT / span).exists() or (folder / span).exists()


def _command_faults(command: str) -> Iterator[str]:
    node = _command()
    words = re.split(r"\s+#|[;&|>]", command)[0].split()
    known = {"--help", "--debug"}
    for word in words:
        inner = getattr(node, "commands", None)
        if word.startswith("--"):
            known |= {name for parameter in node.params for name in parameter.opts}
            if word.partition("=")[0] not in known:
                yield f"airloop {command}: option {word}"
        elif inner is not None and word not in inner:
            yield f"airloop {command}: command {word}"
            return
        elif inner is not None:
            node = inner[word]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_names_exists(document: Path) -> None:
    assert _faults(document.read_text(encoding="utf-8"), document.parent) == []


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("see `include/airloop/nosuch.py`", "file include/airloop/nosuch.py"),
        ("see `docs/nosuch/`", "file docs/nosuch/"),
        ("see `include/nosuch`", "file include/nosuch"),
        ("see `nosuch.yaml`", "file nosuch.yaml"),
        ("see [the guide](docs/nosuch.md#part)", "link docs/nosuch.md"),
        ("run `make nosuch`", "make nosuch"),
        ("```\nmake demo\nmake nosuch   # why\n```", "make nosuch"),
        ("run `airloop nosuch`", "airloop nosuch: command nosuch"),
        (
            "```bash\n$ .airloop/venv/bin/airloop ledger nosuch flight_delays\n```",
            "ledger nosuch flight_delays: command nosuch",
        ),
        ("run `airloop status --nosuch`", "airloop status --nosuch: option --nosuch"),
        ("set `AIRLOOP_NOSUCH`", "variable AIRLOOP_NOSUCH"),
    ],
)
def test_what_does_not_exist_is_found(text: str, fault: str) -> None:
    (found,) = _faults(text)
    assert found.endswith(fault)


@pytest.mark.parametrize(
    "text",
    [
        "see `include/airloop/errors.py`, `docs/adr/`, `pipeline.yaml`, `Makefile` and [the licence](LICENSE)",
        "windows are `[start, end)`; `known_at <= decision time`; `a/b` tests",
        "run `make demo MONTHS=6`, `airloop status --json` or `airloop pipelines check NAME`",
        "```\nairloop run ingest flight_delays --start 2013-01-01T00:00:00Z   # by hand --nosuch\n```",
        "files land at `<landing>/NAME/<feed>/`; everything written is below `.airloop/`; set `AIRLOOP_STATE_URL`",
        "[Airflow](https://airflow.apache.org/nosuch) and `module:attribute`",
    ],
)
def test_what_exists_and_what_is_no_name_is_let_through(text: str) -> None:
    assert _faults(text) == []


def test_no_file_names_a_package_index() -> None:
    named = [
        f"{name}: {word}" for name in sorted(_files()) for word in (*INDEXES, "index-" + "url") if word in _text(name)
    ]
    assert named == []


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="ignore").replace("no-emit-index-" + "url", "")
