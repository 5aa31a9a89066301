"""What a person should know now: an alert."""

from dataclasses import dataclass

from airloop.records.base import Record


@dataclass(frozen=True)
class Alert(Record):
    """One cause that stops the loop or that the loop decided, as it is told to a person.

    Attributes:
        kind: One of airloop.watch.alerts.KINDS.
        cause: What makes two alerts of a pipeline the same one; a cause that lasts is one alert.
        severity: `critical` (the loop stands, or the champion harms), `warning` (a person has to look), `info`.
        what: One line: what happened.
        why: The reason, as the stage, the ledger or Airflow gives it.
        evidence: Values, windows, numbers of entries it rests on.
        link: Path of the page that shows it, below Airflow's address; empty when none does.
        to_do: What a person does next.
        ends: Whether the cause can last and then end; an event (`promoted`) is told once and is over.
    """

    kind: str
    cause: str
    severity: str
    what: str
    why: str
    evidence: str
    link: str
    to_do: str
    ends: bool = True
