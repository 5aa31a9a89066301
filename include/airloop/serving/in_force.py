"""What put a version in force."""

from airloop.stores.ledger import Entry


def decision_of(in_force: Entry) -> int:
    """The number in the ledger of what put a version in force: its decision, or the rollback."""
    return int(in_force.payload.get("decision_sequence") or in_force.sequence)
