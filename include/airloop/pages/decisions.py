"""The ledger as a table: every entry with its evidence drawn, why, who asked, and whether the chain holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from airloop.config import load_pipeline
from airloop.pages import history, measured, mlflow_links, told_entries
from airloop.pages.history import Version
from airloop.pages.site import Site
from airloop.reports.rendering import render, words
from airloop.stores import ledger
from airloop.stores.ledger import TAKES_BACK, Entry, is_rollback, promises

_SHOWN = 50

_STATES = {"passed": "good", "retrain": "good", "refused": "bad", "alarm": "bad", "promoted": "champion"}
_STATES |= {promises.KEPT: "good", promises.LESS: "bad", promises.LOST: "bad"}
_STATES |= {"rolled back": "champion", "locked": "bad", "unlocked": "good", "approved": "good", "rejected": "bad"}
_STATES |= {"take back": "bad", "taken back": "champion", "not taken back": "bad"}

_SENTENCES = {
    "trained": "Version {version} was trained",
    "answered": "By {who}, of alarm {alarm}: {about}",
    promises.MEASURED: "Version {version} against version {previous}, which it replaced",
    "shadowed": "Version {version} {outcome} on live traffic, of decision {decision_sequence}",
    "rolled_back": "Version {version} is champion again, in place of version {previous_version}",
    "not_taken_back": "Version {version} lost against version {previous_version}, and stays",
    **{
        kind: f"Version {{version}} {kind} by {{who}}, of decision {{decision_sequence}}"
        for kind in ("approved", "rejected", "superseded")
    },
}
"""Kind -> the entry in one line, of what its payload holds."""


def page(site: Site, name: str, *, before: int | None = None) -> str:
    """The newest entries first, 50 a page.

    Args:
        before: Shows entries of a lower sequence; the newest ones unless given.

    Raises:
        ConfigError: No such pipeline, or its declaration is wrong.
        UpstreamUnavailable: The state database does not answer.
    """
    pipeline = load_pipeline(name, site.settings)
    entries = told_entries.entries(site.settings, name)
    versions = history.versions(site.settings, name)
    below = [entry for entry in entries if before is None or entry.sequence < before]
    shown = below[-_SHOWN:]
    return render(
        "ledger.html",
        site=site,
        here="ledger",
        pipeline=pipeline,
        head=entries[-1] if entries else None,
        total=len(entries),
        gate_record=promises.track_record(entries),
        problems=ledger.verify(site.settings, name),
        lines=lines(site, list(reversed(shown)), versions),
        older=site.pipeline(name, "ledger", before=str(shown[0].sequence)) if len(below) > _SHOWN else "",
        newest=site.pipeline(name, "ledger") if before else "",
        mlflow=mlflow_links.of_pipeline(site.settings, name, versions),
    )


def lines(site: Site, entries: Sequence[Entry], versions: Mapping[int, Version]) -> list[dict[str, Any]]:
    """What the table shows of entries, in their order; intervals of one metric share an axis."""
    proofs = [proof for entry in entries for proof in (entry.payload.get("evidence") or ())]
    axes = {name: measured.reach(*(p for p in proofs if p["metric"] == name)) for name in {p["metric"] for p in proofs}}
    return [
        {
            "entry": entry,
            "payload": entry.payload,
            "badge": _outcome(entry),
            "state": _STATES.get(_outcome(entry), "open"),
            "says": _says(entry),
            "evidence": [measured.drawn(p, axes[p["metric"]]) for p in (entry.payload.get("evidence") or ())],
            "links": _links(site, entry, versions),
        }
        for entry in entries
    ]


def _outcome(entry: Entry) -> str:
    """The word on the badge."""
    if entry.kind == "rolled_back" and TAKES_BACK in entry.payload:
        return "taken back"
    named = {"decision": "outcome", "triage": "kind", "answered": "answer", promises.MEASURED: "verdict"}
    word = entry.payload.get(named.get(entry.kind, ""), "")
    return (
        words(str(word)) if word else {"done": "promoted", "intended": "promoting"}.get(entry.kind, words(entry.kind))
    )


def _says(entry: Entry) -> str:
    """The entry in one line."""
    payload = entry.payload
    version, champion = payload.get("version"), payload.get("champion_version")
    if entry.kind in _SENTENCES:
        by = f", by probation of the promotion in entry {payload[TAKES_BACK]}" if TAKES_BACK in payload else ""
        return _SENTENCES[entry.kind].format_map(payload) + by
    if entry.kind == "decision":
        against = f"against champion {champion}" if champion else "as the first model"
        shared = "; rows of the window that asked are in its holdout" if payload.get("trigger_overlaps") else ""
        return f"Version {version} {against}{shared}"
    if entry.kind == "triage":
        return f"Monitoring of champion {version}" if version else "Monitoring without a champion"
    if entry.kind == "intended" and is_rollback(entry):
        return f"Version {version} is about to become champion again"
    if entry.kind == "intended":
        return f"Version {version} is about to become champion, by decision {payload['decision_sequence']}"
    if entry.kind == "done":
        previous = payload.get("previous_version")
        after = f", in place of version {previous}" if previous else ", the first one"
        refit = f", the refit of version {payload['refit_of']}" if payload.get("refit_of") else ""
        return f"Version {version}{refit} is champion{after}, by decision {payload['decision_sequence']}"
    return str(payload.get("why") or words(entry.kind))


def _links(site: Site, entry: Entry, versions: Mapping[int, Version]) -> dict[str, str]:
    version = versions.get(entry.payload.get("version", 0)) if entry.kind == "decision" else None
    if version is None:
        return {}
    card = {"Model card": site.pipeline(entry.pipeline, "versions", str(version.number))}
    return card | mlflow_links.of_version(site.settings, entry.pipeline, version)
