"""What a person who is asked for an approval reads: the evidence, the rules, and where to look further."""

from dataclasses import dataclass
from urllib.parse import quote

from airloop.config import METRICS, Pipeline
from airloop.errors import ConfigError, GuardRefused
from airloop.gate import approval
from airloop.pages import history as versions_seen
from airloop.pages import mlflow_links
from airloop.records import Decision, Evidence
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import Entry


@dataclass(frozen=True)
class Request:
    """A question about a decision that passed.

    Attributes:
        standing: What was answered already: `approved`, `rejected`, `superseded`; empty while it is open, and for what
            nobody has to approve `approved`.
        respondents: Who may approve; empty for whoever may answer in Airflow.
        body: Markdown.
    """

    standing: str
    respondents: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""


def prepare(pipeline: Pipeline, settings: Settings, sequence: int, *, starter: str = "") -> Request:
    """The question about a decision, or that there is none.

    Args:
        starter: Who started the promotion that asks.

    Raises:
        GuardRefused: It is not a decision that passed, or was promoted; the ledger does not verify.
        ConfigError: `approval.by` names nobody but who started this.
    """
    history = ledger.intact_history(settings, pipeline.name)
    entry = history.decision(sequence)
    if entry is None or not ledger.passes(entry):
        raise GuardRefused(f"{sequence} is not a decision of {pipeline.name} that passed: see `airloop ledger show`")
    standing = history.answer_to(sequence)
    because = approval.asked_because(pipeline, entry, history)
    if standing is not None or not because or history.done_of(sequence):
        return Request(standing=standing.kind if standing else approval.APPROVED)
    starters = approval.starters(entry, starter)
    respondents = tuple(name for name in pipeline.approval.by if name not in starters)
    if pipeline.approval.by and not respondents:
        raise ConfigError(
            f"approval.by of {pipeline.name} names {', '.join(pipeline.approval.by)} only, who started this: nobody "
            "can approve it. Name another person there"
        )
    decision = Decision.from_json(entry.payload)
    subject = f"Promote version {decision.version} of {pipeline.name}?"
    return Request("", respondents, subject, _body(pipeline, settings, entry, decision, because=because))


def _body(pipeline: Pipeline, settings: Settings, entry: Entry, decision: Decision, *, because: tuple[str, ...]) -> str:
    champion = f"champion {decision.champion_version}" if decision.champion_version else "no champion"
    policy = pipeline.approval
    deadline = f"{policy.deadline_hours:g} hours, then it counts as {policy.default}"
    lines = [
        f"**{decision.why}**",
        "",
        f"Version {decision.version} against {champion}, in force from {decision.effective_at:%Y-%m-%d} on. "
        f"Asked because {'; '.join(because)}. Open for {deadline}.",
        "",
        *_table(decision.evidence),
        *(
            ["Rows of the window that asked for this training are in the holdout.", ""]
            if decision.trigger_overlaps
            else []
        ),
        "Rules of the gate:",
        "",
        *(f"- {'passed' if check.passed else 'REFUSED'}: {check.says}" for check in decision.checks),
        "",
        f"Owner: {pipeline.owner}{f', {pipeline.channel}' if pipeline.channel else ''}.",
        "",
        "Look further: " + ", ".join(f"[{label}]({address})" for label, address in _links(pipeline, settings, entry)),
    ]
    return "\n".join(lines)


def _table(evidence: tuple[Evidence, ...]) -> list[str]:
    if not evidence:
        return []
    rows = [
        f"| {METRICS[item.metric].title} | {item.champion:.4f} | {item.candidate:.4f} | {item.gain:+.4f} "
        f"| {item.lower:+.4f} to {item.upper:+.4f} | {item.rows:,} rows, {item.blocks} days |"
        for item in evidence
    ]
    return ["| metric | champion | candidate | gain | interval | on |", "|---|---|---|---|---|---|", *rows, ""]


def _links(pipeline: Pipeline, settings: Settings, entry: Entry) -> list[tuple[str, str]]:
    version = versions_seen.versions(settings, pipeline.name).get(entry.payload["version"])
    mlflow_pages = mlflow_links.of_version(settings, pipeline.name, version) if version else {}
    page = f"/airloop/pipelines/{quote(pipeline.name)}/ledger#entry-{entry.sequence}"
    card = f"/airloop/pipelines/{quote(pipeline.name)}/versions/{entry.payload['version']}"
    return [("the model card", card), ("the ledger's entry", page), *mlflow_pages.items()]
