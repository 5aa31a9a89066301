"""A card as a page of its own: one file that loads nothing."""

from collections.abc import Mapping
from typing import Any

from airloop.reports import charts
from airloop.reports.rendering import render


def page(card: Mapping[str, Any]) -> str:
    """HTML for a browser or a printer."""
    return render("card.html", card=card, pictures=pictures(card))


def pictures(card: Mapping[str, Any]) -> dict[str, Any]:
    """Intervals drawn: of the gate's evidence and of what came after the promotion, on one axis a metric."""
    after = card["after_promotion"] or {}
    proofs = [*card["evidence"], *(after.get("evidence") or ())]
    reach: dict[str, float] = {}
    for proof in proofs:
        bounds = [abs(proof[bound]) for bound in ("lower", "upper") if proof.get(bound) is not None]
        reach[proof["metric"]] = max([reach.get(proof["metric"], 0.0), *bounds])

    def drawn(proofs: Any) -> dict[str, Any]:
        return {
            proof["metric"]: charts.interval(
                proof["gain"], proof["lower"], proof["upper"], reach=reach[proof["metric"]]
            )
            for proof in proofs or ()
        }

    return {"evidence": drawn(card["evidence"]), "after": drawn(after.get("evidence"))}
