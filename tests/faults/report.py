"""A reaction as one line, in full, and all of them as the table of the docs."""

import re
from collections.abc import Sequence
from pathlib import Path

from .reaction import Reaction
from .table import FAULTS, wrong
from .year import Year

_FIGURES = {
    "roc_auc": "ROC-AUC",
    "brier": "Brier",
    "prediction_psi": "PSI",
    "unlabelled_share": "unlabelled",
    "drifted_share": "drifted",
}
_SHOWN_FILES = 3
_LONGEST = 300
_NOTHING_DONE = r"nothing was (written|published):$"
_EACH_TIME = r", more than [a-z_.]+ [0-9.]+; land them [^:]*:|(file://)?/\S*/(landing|home)/"


def line(reaction: Reaction) -> str:
    """One line for the screen."""
    problem = wrong(FAULTS[reaction.fault], reaction)
    verdict = f"WRONG ({problem[:60]})" if problem else "ok"
    return f"{reaction.fault:46} {reaction.seconds:3.0f} s  {verdict}: {_short(reaction)[:200]}"


def full(reaction: Reaction) -> str:
    """All that the stages said."""
    more = len(reaction.set_aside) - _SHOWN_FILES
    parts = [
        line(reaction),
        reaction.refused and f"refused     {reaction.refused}",
        *(f"alarm       {stage}: {kind} of {about}: {says}" for stage, kind, about, says in reaction.alarms),
        *(f"set aside   {why}" for why in reaction.set_aside[:_SHOWN_FILES]),
        f"set aside   ... and {more} more files" if more > 0 else "",
        reaction.missing and f"missing     {', '.join(reaction.missing)}",
        reaction.bad_rows and f"quarantined {reaction.bad_rows} rows",
        *(f"warning     {warning}" for warning in reaction.warnings),
        reaction.live and f"live        {_figures(reaction)}",
        reaction.triage and f"triage      {reaction.triage}: {reaction.why}",
    ]
    return "\n  ".join(str(part) for part in parts if part)


def year_in_full(year: Year) -> str:
    """What the twelve real months left, alarm by alarm."""
    parts = [
        f"twelve real months: {year.wrong or 'ok'}: {len(year.alarms)} alarms",
        *(f"alarm       {alarm}" for alarm in year.alarms),
        f"triage      {', '.join(year.actions)} (April to December)",
        f"promoted    {', '.join(map(str, year.promoted))}; refused {', '.join(map(str, year.refused))}",
    ]
    return "\n  ".join(parts)


def write_table(page: Path, reactions: Sequence[Reaction]) -> None:
    """Put the reactions in place of the table's rows: fault, how it is planted, what was said before and now."""
    rows = []
    for reaction in reactions:
        fault = FAULTS[reaction.fault]
        rows.append([fault.name, fault.how, fault.before or "not tried", _short(reaction)])
    text = page.read_text()
    around = re.fullmatch(r"(?s)(.*\n\| --- .*?\n)(?:\|.*?\n)*(.*)", text)
    if around is None:
        raise ValueError(f"{page} has no table")
    page.write_text(around[1] + "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in rows) + around[2])


def _short(reaction: Reaction) -> str:
    loud = list(dict.fromkeys(f"alarm {kind} of {about}" for _, kind, about, _ in reaction.alarms))
    if reaction.refused:
        loud.insert(0, _refusal(reaction.refused))
    quiet = [
        reaction.set_aside and f"{len(reaction.set_aside)} files set aside",
        reaction.bad_rows and f"{reaction.bad_rows} rows quarantined",
        reaction.warnings and "warned",
    ]
    parts = [
        *(loud or [text for text in quiet if text] or ["passed"]),
        reaction.live and _figures(reaction),
        reaction.triage and f"triage {reaction.triage}",
    ]
    return "; ".join(str(part) for part in parts if part)


def _refusal(refused: str) -> str:
    """The stage, what it refuses and the first cause, without what each refusal says."""
    stage, _, message = refused.partition(": ")
    first, *more = (text.strip() for text in message.splitlines())
    said = " ".join(more[:2]) if re.search(_NOTHING_DONE, first) else first
    return f"refused by {stage}: {re.sub(_EACH_TIME, ':', said)}"


def _figures(reaction: Reaction) -> str:
    values = [(title, reaction.live[name]) for name, title in _FIGURES.items()]
    return ", ".join(f"{title} {'-' if value is None else f'{value:.3f}'}" for title, value in values)


def _cell(text: str) -> str:
    # Where the home lay is another place in every run.
    plain = re.sub(r"\S*/airloop-faults-\S*/home/", "", text.replace("|", "\\|"))
    return re.sub(r"\s+", " ", plain)[:_LONGEST]
