"""The part of a validation page about what did not go on: files set aside, refused rows, and how to repair them."""

import html
from collections import Counter
from collections.abc import Sequence
from string import Template
from typing import Any

import pyarrow as pa

from airloop.config import Feed
from airloop.data import quarantine

_SHOWN_ROWS = 5


def content(name: str, feed: Feed, rows: pa.Table) -> dict[str, Any]:
    """What page and JSON hold of a feed's refused rows; `files` names the file of a static table."""
    refused = quarantine.describe(feed, name, rows)
    return {
        "feed": name,
        "files": feed.files if feed.static else None,
        "rows": len(refused),
        "rules": dict(Counter(rule for row in refused for rule in row.rules.split("; "))),
        "first": [row.to_json() for row in refused[:_SHOWN_ROWS]],
    }


def set_aside(files: Sequence[dict[str, Any]]) -> str:
    """What was not read, and why; "" for nothing."""
    if not files:
        return ""
    lines = "".join(f"<tr><td>{_text(file['feed'])}</td><td>{_text(file['why'])}</td></tr>\n" for file in files)
    return _SET_ASIDE.substitute(count=_counted(len(files), "file"), lines=lines)


def quarantined(pipeline: str, feeds: Sequence[dict[str, Any]]) -> str:
    """What was refused, by feed and rule, its first rows and how to release them; "" for nothing."""
    if not feeds:
        return ""
    counts = [
        f"<tr><td>{_text(feed['feed'])}</td><td><code>{_text(rule)}</code></td><td>{count:,}</td></tr>\n"
        for feed in feeds
        for rule, count in feed["rules"].items()
    ]
    return _QUARANTINE.substitute(
        count=_counted(sum(feed["rows"] for feed in feeds), "row"),
        counts="".join(counts),
        rows="".join(_quarantined_row(row) for feed in feeds for row in feed["first"]),
        more="".join(_more(feed) for feed in feeds),
        release="".join(_release(pipeline, feed) for feed in feeds),
    )


def _quarantined_row(row: dict[str, Any]) -> str:
    values = ", ".join(f"{name}={'null' if value is None else value}" for name, value in row["values"].items())
    key = " ".join("null" if value is None else value for value in row["key"].values())
    cells = (row["feed"], key, row["rules"], values, (row["source"] or "").rsplit("/", 1)[-1])
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>\n"


def _more(feed: dict[str, Any]) -> str:
    left = feed["rows"] - len(feed["first"])
    return f"<p>{left:,} more of {_text(feed['feed'])}.</p>" if left else ""


def _release(pipeline: str, feed: dict[str, Any]) -> str:
    name = feed["feed"]
    if feed["files"]:
        return (
            f"# {_text(name)} is a static table: repair its rows in {_text(feed['files'])} and land that file again\n"
        )
    command, file = f"airloop quarantine {{}} {_text(pipeline)}", f"{_text(name)}.csv"
    return (
        f"{command.format('list')} --feed {_text(name)} --csv {file}   # repair the rows in it\n"
        f"{command.format('release')} {_text(name)} {file}\n"
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _text(value: object) -> str:
    return html.escape(str(value))


_SET_ASIDE = Template("""<h2 id="set-aside">Set aside <small>$count not read, the others went in; land
them again whole and the inbox starts a new run</small></h2>
<div class="scroll"><table><thead><tr><th>feed</th><th>why</th></tr></thead>
<tbody>
$lines</tbody></table></div>
""")

_QUARANTINE = Template("""<h2 id="quarantine">Quarantine <small>$count refused; the others went on</small></h2>
<div class="scroll"><table class="counts"><thead><tr><th>feed</th><th>rule</th><th>rows</th></tr></thead>
<tbody>
$counts</tbody></table></div>
<div class="scroll"><table class="rows">
<thead><tr><th>feed</th><th>key</th><th>breaks</th><th>row</th><th>from</th></tr></thead>
<tbody>
$rows</tbody></table></div>
$more<p>Repaired rows come in through the same door, and the inbox rebuilds their windows:</p>
<pre>$release</pre>
""")
