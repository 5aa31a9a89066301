"""Put the documents together with the reference made from the code, and build the site: `make docs`.

Writes `.airloop/docs` (what the site is made of) and `.airloop/site`. A link that leads nowhere fails the build.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PARTS = ROOT / ".airloop" / "docs"
SITE = ROOT / ".airloop" / "site"


def main() -> int:
    """Build the site; the exit code is the builder's."""
    shutil.rmtree(PARTS, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PARTS, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path, text in pages().items():
        target = PARTS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    builder = Path(sys.executable).with_name("zensical")
    result = subprocess.run(
        [builder, "build", "--strict", "--clean"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if result.returncode:
        sys.stderr.write(result.stdout + result.stderr)
    else:
        sys.stdout.write(f"{SITE / 'index.html'}\n")
    return result.returncode


def pages() -> dict[str, str]:
    """The pages that no file holds, by path below the site."""
    return {
        "index.md": _readme(),
        "reference/pipeline.md": "\n".join(_pipeline()),
        "reference/commands.md": "\n".join(_commands()),
        "reference/settings.md": "\n".join(_settings()),
        "reference/ledger.md": "\n".join(_ledger()),
    }


def _readme() -> str:
    """The README, whose links lead from the root of the repository."""
    text = (ROOT / "README.md").read_text()
    text = text.replace("](docs/adr)", "](adr/0001-library-free-of-airflow.md)").replace("](docs/", "](")
    return text.replace("[`CONTRIBUTING.md`](CONTRIBUTING.md)", "`CONTRIBUTING.md`")


def _pipeline() -> Iterator[str]:
    """One table per class of pipeline.yaml, from its JSON schema."""
    from airloop.config import Pipeline

    schema = Pipeline.model_json_schema()
    yield "# pipeline.yaml\n\nEvery key. `airloop schema` prints the same as a JSON schema for editors.\n"
    for name, node in [("Pipeline", schema), *sorted(schema.get("$defs", {}).items())]:
        if "properties" not in node:
            continue
        yield f"## {name}\n\n{node.get('description', '')}\n\n| key | type | default | meaning |\n|---|---|---|---|"
        required = node.get("required", ())
        for key, value in node["properties"].items():
            default = "required" if key in required else f"`{value.get('default')}`"
            yield f"| `{key}` | {_kind(value)} | {default} | {_cell(value.get('description', ''))} |"
        yield ""


def _kind(value: dict[str, Any]) -> str:
    """The type of a key, a class as a link to its table."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    options = value.get("anyOf") or value.get("oneOf")
    if options:
        return " or ".join(_kind(item) for item in options)
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if isinstance(value.get("additionalProperties"), dict):
        return f"name → {_kind(value['additionalProperties'])}"
    return f"`{value['const']}`" if "const" in value else str(value.get("type", "any"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _commands() -> Iterator[str]:
    """One section per command, from the command line itself."""
    import typer

    from airloop.cli import app

    yield "# Commands\n\nEach takes `--help`; `--debug` anywhere shows tracebacks.\n"
    yield from _command(typer.main.get_command(app), ("airloop",))


def _command(node: Any, words: tuple[str, ...]) -> Iterator[str]:
    children = getattr(node, "commands", None)
    if children:
        for name, child in sorted(children.items()):
            yield from _command(child, (*words, name))
        return
    yield f"## {' '.join(words)}\n\n{' '.join((node.help or '').split())}\n"
    yield "| argument | default | meaning |\n|---|---|---|"
    for item in node.params:
        names = ", ".join(f"`{text}`" for text in item.opts)
        default = "required" if item.required else f"`{item.default}`" if item.default not in {None, False, ""} else ""
        yield f"| {names} | {default} | {_cell(getattr(item, 'help', None) or '')} |"
    yield f"\n{node.epilog or ''}\n"


def _settings() -> Iterator[str]:
    """The variables, and the meaning that the class's docstring gives each."""
    from airloop.settings import Settings

    meanings = _attributes(Settings.__doc__ or "")
    yield "# Settings\n\nVariables of the environment; what is not set has the embedded default below `AIRLOOP_HOME`.\n"
    yield "| variable | meaning |\n|---|---|"
    for name in Settings.model_fields:
        yield f"| `AIRLOOP_{name.upper()}` | {_cell(meanings[name])} |"


def _attributes(docstring: str) -> dict[str, str]:
    """The entries of a Google-style `Attributes:` section."""
    meanings: dict[str, str] = {}
    name = ""
    for line in docstring.partition("Attributes:")[2].splitlines():
        first, colon, rest = line.strip().partition(": ")
        if colon and first.isidentifier() and not line.startswith(" " * 12):
            name, meanings[first] = first, rest
        elif name:
            meanings[name] += f" {line.strip()}"
    return meanings


def _ledger() -> Iterator[str]:
    """The kinds of entries."""
    from airloop.stores import ledger

    yield "# Ledger entries\n\n`airloop ledger show` prints them, `airloop ledger verify` recomputes the chain.\n"
    yield "| kind | meaning | written by |\n|---|---|---|"
    for kind, meaning in ledger.KINDS.items():
        writers = ", ".join(f"`{stage}`" for stage in ledger.WRITERS[kind])
        yield f"| `{kind}` | {meaning} | {writers or 'a command'} |"


if __name__ == "__main__":
    sys.exit(main())
