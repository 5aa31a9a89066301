"""An alert as plain text; whoever shows it as HTML escapes it, because it quotes data."""

from airloop.config import Pipeline
from airloop.stores.alerts import StoredAlert

_SHOWN_CHARACTERS = 1500


def subject(pipeline: Pipeline, stored: StoredAlert, *, resolved: bool) -> str:
    """One line: `[airloop] sales: CRITICAL sales__data failed`."""
    state = "resolved:" if resolved else stored.alert.severity.upper()
    return " ".join(f"[airloop] {pipeline.name}: {state} {stored.alert.what}".split())


def body(pipeline: Pipeline, stored: StoredAlert, *, resolved: bool, address: str = "") -> str:
    """What, why, on which evidence, where to look and what to do, a line each.

    Args:
        address: Of Airflow, put before the alert's link.
    """
    alert = stored.alert
    lines = {
        "Pipeline": f"{pipeline.name} (owner: {', '.join(filter(None, (pipeline.owner, pipeline.channel)))})",
        "What": f"{alert.what} ({alert.kind}, {alert.severity})",
        "Why": alert.why,
        "Evidence": alert.evidence,
        "Since": f"{stored.opened_at:%Y-%m-%d %H:%MZ}",
        **({"Resolved": f"{stored.resolved_at:%Y-%m-%d %H:%MZ}"} if resolved and stored.resolved_at else {}),
        "Link": f"{address.rstrip('/')}/{alert.link}" if alert.link and address else alert.link,
        "To do": "Nothing: it is over." if resolved else alert.to_do,
    }
    return "\n".join(f"{name}: {_short(text)}" for name, text in lines.items() if text)


def _short(text: str) -> str:
    """So many characters at most, none of control; further lines are indented, so that none reads as one of ours."""
    lines = ("".join(letter if letter.isprintable() else " " for letter in line) for line in text.splitlines())
    whole = "\n    ".join(lines)
    return whole if len(whole) <= _SHOWN_CHARACTERS else f"{whole[:_SHOWN_CHARACTERS]} ..."
