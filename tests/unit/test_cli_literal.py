"""What comes from data is printed as it stands: no markup, link, emoji code or escape sequence of it is obeyed."""

import io
from datetime import UTC, datetime
from pathlib import Path

import landed
import pytest
import tables
import toy
from command import Airloop
from landed import FILE

from airloop import ledger
from airloop.cli import output
from airloop.cli.output import LiteralConsole, table
from airloop.settings import Settings
from airloop.visible_text import one_line, visible

ESCAPED = {
    "[bold]x[/]": "[bold]x[/]",
    "[link=file:///etc/passwd]x[/link]": "[link=file:///etc/passwd]x[/link]",
    "[red": "[red",
    ":smile:": ":smile:",
    "\x1b]8;;http://x\x1b\\y": "\\x1b]8;;http://x\\x1b\\y",
    "\x1b[2J": "\\x1b[2J",
    "\x9b2J": "\\x9b2J",
    "\u202egnp.exe": "\\u202egnp.exe",
    "a\u200bb": "a\\u200bb",
    "\x07\r\x00": "\\x07\\r\\x00",
    "\t": "\\t",
    "M\u00fcnchen \u6771\u4eac": "M\u00fcnchen \u6771\u4eac",
}
FORBIDDEN = ("\x1b", "\x9b", "\u202e", "\u200b", "\x07", "\r", "\x00")


@pytest.mark.parametrize("text", ESCAPED)
@pytest.mark.parametrize("place", ["line", "cell", "header"])
def test_a_text_is_printed_as_it_stands_in_a_line_and_in_a_table(text: str, place: str) -> None:
    shown = io.StringIO()
    console = LiteralConsole(file=shown, width=100, force_terminal=True, color_system=None, highlight=False)
    printed = {"line": text, "cell": table(("a",), [(text,)]), "header": table((text,), [("a",)])}[place]
    console.print(printed)
    assert ESCAPED[text] in shown.getvalue()


def test_a_value_starts_no_line_of_its_own() -> None:
    assert one_line("a\nerror: all is well") == "a\\nerror: all is well"
    assert visible("one\ntwo") == "one\ntwo"


@pytest.mark.parametrize("stream", [output.console, output.errors])
def test_the_commands_print_on_literal_consoles(stream: object) -> None:
    assert isinstance(stream, LiteralConsole)


def _clean(text: str) -> bool:
    return not any(char in text for char in FORBIDDEN)


def test_quarantine_shows_keys_and_values_of_refused_rows_as_they_stand(
    toy_settings: Settings, airloop: Airloop
) -> None:
    toy.land(toy_settings, days=range(1))
    rows = [landed.job("\x1b]8;;http://x\x07[bold]"), landed.job("b", size="\u202e[link=file:///x]"), landed.job("c")]
    landed.put(toy_settings, FILE, [*rows, *(landed.job(f"g{n}") for n in range(60))])
    for stage in ("ingest", "validate_raw"):
        toy.run(stage, toy_settings, toy.days(0, 1))
    shown = airloop("quarantine", "list", "toy")
    text = "".join("".join(line.strip("\u2502 ") for line in shown.out.splitlines()).split())
    assert _clean(shown.out)
    assert "[bold]" in shown.out
    assert "\\u202e" in text


def test_a_refusal_shows_a_files_name_and_value_as_they_stand(toy_settings: Settings, airloop: Airloop) -> None:
    name = "[bold]\x1b[2J.csv"
    path = toy_settings.project_dir / name
    path.write_text("machine,measured_at,celsius\nm,2020-01-01T00:00:00Z,\x1b[31m[red]\n")
    refused = airloop("land", "toy", "heat", str(path))
    assert refused.code == 1
    assert _clean(refused.err)
    assert "[bold]\\x1b[2J.csv" in refused.err
    assert "[red]" in refused.err


def test_a_new_pipeline_is_described_with_its_names_as_they_stand(
    toy_settings: Settings, airloop: Airloop, tmp_path: Path
) -> None:
    rows = [{"[link=file:///x]a[/link]": row["remark"], **row} for row in tables.orders()]
    made = airloop("pipelines", "new", "orders", "--from", str(tables.write(tmp_path / "[bold]o.csv", rows)))
    assert made.code == 0, made.err
    assert "[bold]o.csv" in made.out
    assert "[link=file:///x]a[/link]" in airloop("pipelines", "check", "orders").out


def test_the_ledger_shows_a_reason_as_it_stands(toy_settings: Settings, airloop: Airloop) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    payload = {"why": "[bold]\x1b[2J \u202e all good"}
    ledger.append_once(
        toy_settings, "toy", kind="decision", effective_at=at, payload=payload, existing=lambda entries: None
    )
    shown = airloop("ledger", "show", "toy")
    assert _clean(shown.out)
    assert "[bold]\\x1b[2J \\u202e all good" in shown.out
