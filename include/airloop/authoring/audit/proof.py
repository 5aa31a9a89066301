"""The ledger for somebody who does not trust it: every entry as stored, and a program that recomputes the chain."""

import json
from collections.abc import Iterator

import sqlalchemy as sa

from airloop.settings import Settings
from airloop.stores import ledger, ledger_witness, state, tables
from airloop.stores.ledger.chain import canonical

CHECK = '''"""Recompute the chain of ledger.jsonl: python check_ledger.py (nothing but Python is needed)."""

import hashlib
import json
import pathlib
import sys

previous, number, head = "0" * 64, 0, json.loads(pathlib.Path(__file__).with_name("head.json").read_text())
# Not splitlines(): a text may hold U+2028, which ends a line for it and for no JSON.
for line in filter(None, pathlib.Path(__file__).with_name("ledger.jsonl").read_text(encoding="utf-8").split("\\n")):
    row = json.loads(line)
    content = {key: value for key, value in row.items() if key != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    number += 1
    if row["sequence"] != number or row["previous_hash"] != previous:
        sys.exit(f"entry {row['sequence']} does not follow entry {number - 1}")
    if hashlib.sha256(text.encode()).hexdigest() != row["hash"]:
        sys.exit(f"entry {number} was changed")
    previous = row["hash"]
if (number, previous) != (head["sequence"], head["hash"]):
    sys.exit(f"the chain ends at entry {number}, and entry {head['sequence']} was appended")
print(f"{number} entries, the chain holds; head {previous}")
'''


def files(settings: Settings, pipeline: str) -> dict[str, bytes]:
    """The whole chain of a pipeline, its head as it was written down elsewhere, the check, and what verify finds.

    Raises:
        UpstreamUnavailable: The state database or MLflow does not answer.
    """
    rows = "".join(f"{canonical(row)}\n" for row in _rows(settings, pipeline))
    problems = ledger_witness.problems(settings, pipeline)
    acknowledged = sorted(ledger.acknowledged(settings, pipeline))
    verification = {"verifies": not problems, "problems": problems, "acknowledged": acknowledged}
    return {
        "ledger/ledger.jsonl": rows.encode(),
        "ledger/head.json": _json(_head(settings, pipeline)),
        "ledger/check_ledger.py": CHECK.encode(),
        "ledger/verification.json": _json(verification),
    }


def _rows(settings: Settings, pipeline: str) -> Iterator[dict[str, object]]:
    table = tables.ledger_entries
    query = sa.select(table).where(table.c.pipeline == pipeline).order_by(table.c.sequence)
    with state.reading(settings) as connection:
        for row in connection.execute(query).mappings():
            # Somebody may have put bytes in the place of a text.
            yield {
                name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
                for name, value in row.items()
            }


def _head(settings: Settings, pipeline: str) -> dict[str, object]:
    table = tables.ledger_heads
    with state.reading(settings) as connection:
        row = connection.execute(sa.select(table).where(table.c.pipeline == pipeline)).mappings().first()
    return {"sequence": row["sequence"], "hash": row["hash"]} if row else {"sequence": 0, "hash": "0" * 64}


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
