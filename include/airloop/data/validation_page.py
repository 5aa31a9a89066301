"""The verdict on a window as a page a person reads offline, and as the JSON it was made from."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

import pyarrow as pa

from airloop.config import Feed
from airloop.data import refused_section
from airloop.data.judgement import Judgement
from airloop.records import Alarm, SetAside, Window


@dataclass(frozen=True)
class Remarks:
    """What a page shows beside the judgements of a window's tables.

    Attributes:
        alarms: What is not as it was declared or before, although the window passes.
        waiting: Outcome feeds that have no rows yet; they were not judged.
        set_aside: Landed files that were not read.
        refused: (feed's name, feed, its rows as quarantine.marked gives them), as they go to quarantine when the
            window passes.
    """

    alarms: Sequence[Alarm] = ()
    waiting: Sequence[str] = ()
    set_aside: Sequence[SetAside] = ()
    refused: Sequence[tuple[str, Feed, pa.Table]] = ()


def content(
    pipeline: str, layer: str, window: Window, judgements: Sequence[Judgement], remarks: Remarks
) -> dict[str, Any]:
    """What page and JSON hold: the outcome, why it failed, and every rule of every table with what was seen."""
    problems = [problem for judged in judgements for problem in judged.problems]
    return {
        "pipeline": pipeline,
        "layer": layer,
        "window": window.to_json(),
        "outcome": "failed" if problems else "passed",
        "problems": problems,
        "alarms": [alarm.to_json() for alarm in remarks.alarms],
        "waiting": list(remarks.waiting),
        "set_aside": [item.to_json() for item in remarks.set_aside],
        "quarantine": [refused_section.content(*item) for item in remarks.refused],
        "tables": [
            {
                **judged.check.to_json(),
                "problems": list(judged.problems),
                "rules": [result.to_json() for result in judged.results],
            }
            for judged in judgements
        ],
    }


def to_json(page: dict[str, Any]) -> str:
    """The content as indented JSON."""
    return json.dumps(page, indent=1, sort_keys=True) + "\n"


def to_html(page: dict[str, Any]) -> str:
    """The content as one self-contained page: no script, no font, nothing from the network."""
    tables = page["tables"]
    bad_rows, warnings = sum(table["bad_rows"] for table in tables), sum(len(table["warnings"]) for table in tables)
    start, end = (bound[:16].replace("T", " ") for bound in (page["window"]["start"], page["window"]["end"]))
    counted = f"{sum(table['rows'] for table in tables):,} rows, bad: {bad_rows:,}, warnings: {warnings}"
    counted += f", alarms: {len(page['alarms'])}" if page["alarms"] else ""
    counted += f", files set aside: {len(page['set_aside'])}" if page["set_aside"] else ""
    return _PAGE.substitute(
        title=_text(f"{page['pipeline']}: validation, {page['layer']} {start}"),
        pipeline=_text(page["pipeline"]),
        layer=_LAYERS[page["layer"]],
        window=_text(f"{start} to {end} UTC"),
        outcome=page["outcome"],
        says=_text(f"{page['outcome']} · {counted}"),
        problems="".join(f"<li>{_text(problem)}</li>" for problem in page["problems"]),
        alarms=_alarms(page["pipeline"], page["alarms"]),
        waiting=_waiting(page["waiting"]),
        set_aside=refused_section.set_aside(page["set_aside"]),
        quarantine="" if page["problems"] else refused_section.quarantined(page["pipeline"], page["quarantine"]),
        overview="".join(_line(table) for table in tables),
        tables="".join(_table(table) for table in tables),
    )


def _alarms(pipeline: str, alarms: Sequence[dict[str, Any]]) -> str:
    if not alarms:
        return ""
    lines = "".join(
        f"<tr><td><code>{_text(alarm['kind'])}</code></td><td>{_text(alarm['subject'])}</td>"
        f"<td>{_text(alarm['says'])}</td></tr>\n"
        for alarm in alarms
    )
    return _ALARMS.substitute(pipeline=_text(pipeline), lines=lines)


def _waiting(feeds: Sequence[str]) -> str:
    return f"<p>No rows, and not judged: {_text(', '.join(feeds))}.</p>" if feeds else ""


def _line(table: dict[str, Any]) -> str:
    checks = {"failed": table["problems"], "bad": table["bad_rows"], "warning": table["warnings"]}
    state = next((name for name, is_so in checks.items() if is_so), "kept")
    names = ", ".join([*table["critical"], *table["warnings"]])
    return _LINE.substitute(
        state=state,
        says=_SAYS[state],
        name=_text(table["table"]),
        rows=f"{table['rows']:,}",
        bad=f"{table['bad_rows']:,}",
        share=f"{table['bad_share']:.2%}",
        broken=_text(names),
    )


def _table(table: dict[str, Any]) -> str:
    # What broke comes first: that is why somebody opened the page.
    rules = sorted(table["rules"], key=lambda rule: (rule["passed"], rule["severity"] != "critical"))
    counts = f"{table['rows']:,} rows, {table['bad_rows']:,} bad ({table['bad_share']:.2%})"
    lines = "".join(_rule(rule) for rule in rules) or '<tr><td colspan="5">no rows</td></tr>'
    return _TABLE.substitute(name=_text(table["table"]), counts=_text(counts), rules=lines)


def _rule(rule: dict[str, Any]) -> str:
    state = _state(rule)
    examples = "<br>".join(_text(example) for example in rule["examples"])
    return _RULE.substitute(
        state=state,
        says=_SAYS[state],
        rule=_text(rule["rule"]),
        expected=_text(rule["expected"]),
        severity=_text(rule["severity"]),
        observed=_text(rule["error"] or rule["observed"]),
        examples=examples,
    )


def _state(rule: dict[str, Any]) -> str:
    if rule["passed"]:
        return "kept"
    if rule["severity"] == "warning":
        return "warning"
    return "bad" if rule["about"] == "row" and not rule["error"] else "failed"


def _text(value: object) -> str:
    return html.escape(str(value))


_LAYERS = {"raw": "validation of rows", "features": "validation of features"}
_SAYS = {"kept": "kept", "warning": "warning", "bad": "bad rows", "failed": "failed"}

_LINE = Template(
    '<tr class="$state"><td><a href="#$name">$name</a></td><td>$rows</td><td>$bad</td><td>$share</td>'
    '<td class="state">$says</td><td><code>$broken</code></td></tr>\n'
)

_RULE = Template(
    '<tr class="$state"><td><code>$rule</code><br><small>$expected</small></td><td>$severity</td>'
    '<td class="state">$says</td><td>$observed</td><td>$examples</td></tr>\n'
)

_TABLE = Template("""<h2 id="$name">$name <small>$counts</small></h2>
<div class="scroll"><table class="rules">
<thead><tr><th>rule</th><th>severity</th><th>result</th><th>observed</th><th>examples</th></tr></thead>
<tbody>
$rules</tbody></table></div>
""")

_ALARMS = Template("""<h2 id="alarms">Alarms <small>no training on these rows until the files are mended, or somebody
answers: <code>airloop alarms list $pipeline</code></small></h2>
<div class="scroll"><table class="alarms"><thead><tr><th>kind</th><th>about</th><th>what</th></tr></thead>
<tbody>
$lines</tbody></table></div>
""")

_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1d2330; --quiet: #5b6475; --line: #d9dee7; --ground: #ffffff; --head: #f3f5f9;
  --good: #1a7f4b; --warn: #9a6700; --bad: #c0272d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --quiet: #9aa4b5; --line: #363d4a; --ground: #161a21;
  --head: #1f252f; --good: #4cc38a; --warn: #e0b341; --bad: #ff7b72; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
small, header p { color: var(--quiet); font-weight: normal; margin: .2rem 0; }
.verdict { display: inline-block; margin: .8rem 0; padding: .3rem .8rem; border: 1px solid;
  border-radius: .4rem; font-weight: 600; }
.verdict.passed, .kept .state { color: var(--good); }
.verdict.failed, .failed .state, .problems { color: var(--bad); }
.warning .state, .bad .state, #alarms { color: var(--warn); }
.failed .state, .bad .state, .warning .state { font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-size: .85rem; color: var(--quiet); }
.rules { table-layout: fixed; min-width: 56rem; } .rules th:first-child { width: 40%; }
.rules th:nth-child(2), .rules th:nth-child(3) { width: 5.5rem; } .rules th:nth-child(4) { width: 11rem; }
pre { background: var(--head); padding: .7rem 1rem; overflow-x: auto; border-radius: .4rem; }
.rows { margin-top: 1rem; } .rows td:nth-child(2) { white-space: nowrap; }
.overview :is(th, td):is(:nth-child(2), :nth-child(3), :nth-child(4)),
.counts :is(th, td):last-child { text-align: right; }
td { overflow-wrap: anywhere; } code { font-size: .87em; } a { color: inherit; }
</style></head><body>
<header><h1>$pipeline: $layer</h1><p>$window</p><div class="verdict $outcome">$says</div></header>
<ul class="problems">$problems</ul>
$alarms$waiting
<div class="scroll"><table class="overview">
<thead><tr><th>table</th><th>rows</th><th>bad rows</th><th>share</th><th>result</th><th>broken rules</th></tr></thead>
<tbody>
$overview</tbody></table></div>
$set_aside$quarantine$tables
</body></html>
""")
