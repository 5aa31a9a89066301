"""What MLflow knows of the ledger: each version names the decision about it by number and hash."""

from collections.abc import Mapping

from airloop.errors import GuardRefused
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Entry, History
from airloop.stores.mlflow import registry


def problems(settings: Settings, pipeline_name: str) -> list[str]:
    """What `ledger.verify` finds, and versions in MLflow that name a decision which the ledger does not hold.

    Raises:
        UpstreamUnavailable: MLflow or the state database does not answer.
    """
    return [*ledger.verify(settings, pipeline_name), *_other_decisions(settings, pipeline_name)]


def require_intact(settings: Settings, pipeline_name: str) -> History:
    """The history, for what changes who is champion.

    Raises:
        GuardRefused: The ledger does not verify, or MLflow names a decision that it does not hold.
        UpstreamUnavailable: See problems.
    """
    history = ledger.require_intact(settings, pipeline_name)
    other = _other_decisions(settings, pipeline_name)
    if other:
        raise GuardRefused(ledger.refusal(pipeline_name, other))
    return history


def refuse_forgotten(settings: Settings, pipeline_name: str) -> None:
    """Refuse a ledger that lacks the decision by which MLflow's champion came into force: one of a backup does.

    One question to MLflow, however many versions there are.

    Raises:
        GuardRefused: The ledger holds no such decision.
        UpstreamUnavailable: MLflow does not answer.
    """
    try:
        named = registry.champions_decision(settings, pipeline_name)
    except GuardRefused:  # an alias of a version that is gone is reconciled, and says nothing of the ledger
        return
    others = _not_held(settings, pipeline_name, named) if named else []
    if others:
        raise GuardRefused(ledger.refusal(pipeline_name, others))


def refuse_other_decision(settings: Settings, decision: Entry) -> None:
    """Refuse to act on a decision that is not the one its version names in MLflow: somebody else wrote it.

    A version that names none was decided by an older airloop.

    Raises:
        GuardRefused: The version names another decision.
        UpstreamUnavailable: MLflow does not answer.
    """
    version = int(decision.payload["version"])
    sequence, known = registry.named_decisions(settings, decision.pipeline).get(version, (decision.sequence, ""))
    if sequence != decision.sequence or known not in ("", decision.hash):
        raise GuardRefused(
            f"MLflow says that version {version} was decided last by entry {sequence}, not by entry "
            f"{decision.sequence}: run decide, which writes both"
        )


def _other_decisions(settings: Settings, pipeline_name: str) -> list[str]:
    return _not_held(settings, pipeline_name, registry.named_decisions(settings, pipeline_name))


def _not_held(settings: Settings, pipeline_name: str, named_decisions: Mapping[int, tuple[int, str]]) -> list[str]:
    about = next(iter(named_decisions)) if len(named_decisions) == 1 else None
    entries = ledger.entries(settings, pipeline_name, kind="decision", about_version=about)
    decisions, others = {entry.sequence: entry for entry in entries}, []
    for version, (sequence, known) in sorted(named_decisions.items()):
        entry = decisions.get(sequence)
        if entry is None or entry.payload.get("version") != version or known not in ("", entry.hash):
            named = f"{sequence} with hash {known[:12]}" if known else str(sequence)
            others.append(
                f"MLflow says that version {version} was decided by entry {named}, which is not in the ledger"
            )
    acknowledged = ledger.acknowledged(settings, pipeline_name)
    return [problem for problem in others if problem not in acknowledged]
