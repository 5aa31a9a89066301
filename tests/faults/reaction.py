"""What the stages said to a month: refusals, files set aside, warnings, alarms, live figures, triage."""

from dataclasses import dataclass, field, replace
from typing import Any

from airloop.errors import AirloopError
from airloop.records import Action, Ingested, Monitored, Validated


@dataclass(frozen=True)
class Reaction:
    """Collected over the stages of a month, in their order.

    Attributes:
        refused: The stage that refused and its message; empty when none did.
        crashed: It refused by an error that is not airloop's own, so nobody is told what to do.
        alarms: (stage, kind, subject, message) of every alarm.
        warnings: Broken rules that let the window pass, as `table: rule`.
        live: ROC-AUC, Brier, prediction PSI, unlabelled share: what monitoring saw of the champion.
        tables: Table -> digest of its clean rows, as far as they were published.
        same: Whether those are the tables of the month without a fault; None where that was not asked.
        triage: What triage decided; empty when the month did not come so far.
    """

    fault: str
    refused: str = ""
    crashed: bool = False
    alarms: tuple[tuple[str, str, str, str], ...] = ()
    set_aside: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    bad_rows: int = 0
    live: dict[str, float | None] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    same: bool | None = None
    triage: str = ""
    why: str = ""
    seconds: float = 0.0

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of its alarms."""
        return frozenset(kind for _, kind, _, _ in self.alarms)

    @property
    def words(self) -> str:
        """All that a person would have been told."""
        parts = [self.refused, *map(" ".join, self.alarms)]
        return "\n".join(filter(None, [*parts, *self.set_aside, *self.warnings]))

    def hearing(self, stage: str, record: Any) -> "Reaction":
        """With what one more stage's record says."""
        fresh = [(stage, alarm.kind, alarm.subject, alarm.says) for alarm in getattr(record, "alarms", ())]
        heard = replace(self, alarms=self.alarms + tuple(item for item in fresh if item not in self.alarms))
        if isinstance(record, Ingested):
            return replace(heard, set_aside=tuple(item.why for item in record.set_aside), missing=record.missing)
        if isinstance(record, Validated) and record.layer == "raw":
            broken = tuple(f"{check.table}: {rule}" for check in record.checks for rule in check.warnings)
            tables = {table.table: table.digest for table in record.tables}
            return replace(heard, warnings=broken, bad_rows=record.bad_rows, tables=tables)
        if isinstance(record, Monitored):
            return replace(heard, live=_live(record))
        if isinstance(record, Action):
            return replace(heard, triage=record.kind, why=record.why)
        return heard

    def refusing(self, stage: str, error: Exception) -> "Reaction":
        """Ended by a stage that refuses."""
        crashed = not isinstance(error, AirloopError)
        says = f"{type(error).__name__}: {error}" if crashed else str(error)
        return replace(self, refused=f"{stage}: {says}", crashed=crashed)


def _live(record: Monitored) -> dict[str, float | None]:
    return {
        "roc_auc": record.live.get("roc_auc"),
        "brier": record.live.get("brier"),
        "prediction_psi": record.prediction_psi,
        "unlabelled_share": record.quality["unlabelled_share"],
        "drifted_share": record.drifted_share,
    }
