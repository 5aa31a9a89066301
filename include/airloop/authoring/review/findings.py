"""What a review found, as far as it got."""

from dataclasses import dataclass

from airloop.authoring.review.backtest import Backtest
from airloop.authoring.review.champion import Baseline
from airloop.authoring.review.differences import Differences
from airloop.authoring.review.span import Span
from airloop.records import Decision, Evaluated, Snapshot

CHECK, DATA, LEAKS, TRAINING = "check", "data", "leak check", "training"
"""The steps that can fail."""


@dataclass(frozen=True)
class Failure:
    """The step that ended a review, and what it said."""

    step: str
    says: str


@dataclass(frozen=True)
class Review:
    """One pipeline's review; what comes after the step that failed is missing.

    Attributes:
        base: The commit the change is compared with, or why there is none.
        paths: The declaration's files that differ from the base's; None without a base.
        checked: What `pipelines check` found good, a line per part.
        differences: None when the base does not declare the pipeline, or not so that it can be read.
        without: Why a champion that was looked for is not the one compared with, one line each.
        evaluated: The change against the champion, on the change's holdout.
        decision: What the gate would say, asked by hand.
    """

    name: str
    base: str
    paths: tuple[str, ...] | None = None
    checked: tuple[str, ...] = ()
    differences: Differences | None = None
    span: Span | None = None
    snapshot: Snapshot | None = None
    change: Backtest | None = None
    champion: Baseline | None = None
    without: tuple[str, ...] = ()
    evaluated: Evaluated | None = None
    decision: Decision | None = None
    failure: Failure | None = None
