"""A review as the comment of a pull request."""

from collections.abc import Iterator, Sequence

from airloop.authoring.review.findings import CHECK, DATA, LEAKS, TRAINING, Review
from airloop.authoring.review.markdown import block, code, several, table
from airloop.config import METRICS
from airloop.records import Evidence, Snapshot

# GitHub takes 65,536 characters.
_MOST_CHARACTERS = 60_000
_MOST_LINES = 15
_FAILED = {
    CHECK: "**The declaration is broken**; nothing of it was run.",
    DATA: "**The data stages refuse it**; it was not trained.",
    LEAKS: "**It leaks**: a feature uses what was not known yet. It was not trained.",
    TRAINING: "**It does not train.**",
}


def as_comment(reviews: Sequence[Review]) -> str:
    """Markdown of one or several reviews, or that no pipeline is concerned; at most what GitHub takes.

    Whatever comes from the change is shown as code, so it links, mentions and embeds nothing.
    """
    text = "\n\n".join(_one(review) for review in reviews) or "No pipeline is concerned by this change."
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}\n\n... cut off; `airloop pipelines review` shows all of it"
    return f"{text}\n"


def verdict(review: Review) -> str:
    """The outcome in one line of Markdown."""
    if review.failure is not None:
        return _FAILED[review.failure.step]
    if review.decision is None:
        return "**Not judged.**"
    why = review.decision.why.partition(": ")[2]
    if review.champion is None:
        outcome = "passes" if review.decision.passed else "does not pass"
        return f"**It {outcome} its floors**; there was no champion to compare with. {code(why)}"
    if any(item.gain == 0 for item in review.decision.evidence if item.metric == _gate_metric(review)):
        return f"**Equal**: the change scores as the champion does, and the gate asks for a gain. {code(why)}"
    outcome = "would let it pass" if review.decision.passed else "would refuse it"
    return f"**The gate {outcome}**: {code(why)}"


def _one(review: Review) -> str:
    parts = [f"## Review of {code(review.name)}", verdict(review)]
    if review.failure is not None:
        parts.append(block(review.failure.says))
    parts += ["### What changed", *_changes(review), "### Checks", _checks(review)]
    if review.decision is not None:
        parts += [*_comparison(review), "### How it was measured", "\n".join(_measured(review))]
        parts += ["### What this does not say", "\n".join(f"- {line}" for line in _unsaid(review))]
    return "\n\n".join(parts)


def _changes(review: Review) -> Iterator[str]:
    if review.paths is None:
        yield f"Unknown: there is no base commit: {code(review.base)}"
        return
    if not review.paths:
        yield f"No file of the declaration differs from {code(review.base)}."
        return
    yield f"Against {code(review.base)}:"
    yield several(review.paths, most=_MOST_LINES)
    differences = review.differences
    if differences is None:
        return
    for title, lines in (("Declared values", differences.values), ("Expectations", differences.rules)):
        yield f"{title}: {'none differs' if not lines else ''}".strip()
        if lines:
            yield several(lines, most=_MOST_LINES)
    names = [f"+ {name}" for name in differences.added] + [f"- {name}" for name in differences.removed]
    meaning = "mean something else now" if differences.redefined else "mean what they meant"
    yield f"Features: {', '.join(map(code, names)) or 'none added, none removed'}; their definitions {meaning}."


def _checks(review: Review) -> str:
    failed = review.failure.step if review.failure else None
    checked = f"passed: {', '.join(map(code, review.checked))}" if review.checked else "**failed**"
    if review.snapshot is not None:
        times = len(review.snapshot.leak_checked)
        leaks = f"passed: features rebuilt from what was known at {times} decision times are the ones used"
    else:
        leaks = f"**failed**: {code(review.failure.says)}" if failed == LEAKS and review.failure else "not reached"
    return table(("check", "result"), ((code("pipelines check"), checked), ("leak check", leaks)))


def _comparison(review: Review) -> Iterator[str]:
    evaluated, decision = review.evaluated, review.decision
    if evaluated is None or decision is None:
        return
    yield f"### Against {code(review.champion.who)}" if review.champion else "### Its holdout"
    if review.without:
        yield "\n".join(f"- Not the champion here: {code(why)}" for why in review.without)
    evidence = {item.metric: item for item in evaluated.evidence}
    rows = [
        (_title(name), _number(evaluated.champion_metrics.get(name)), _number(value), _gain(evidence.get(name)))
        for name, value in evaluated.metrics.items()
    ]
    yield table(("metric", "champion", "change", "gain (positive is better)"), rows)
    checks = [
        (code(check.rule), "passed" if check.passed else "**refused**", code(check.says)) for check in decision.checks
    ]
    yield table(("gate", "", "what it saw"), checks)


def _measured(review: Review) -> Iterator[str]:
    snapshot, span, change = review.snapshot, review.span, review.change
    if snapshot is None or span is None or change is None:
        return
    count = len(span.windows)
    yield f"- data: {code(span.whole)}, {count} window{'s' if count > 1 else ''}, {code(span.source)}"
    yield f"- the change: {_trained(change.trained.candidate, snapshot)}"
    if review.champion is not None:
        yield f"- the champion: {_trained(review.champion.candidate, review.champion.snapshot)}"
    yield f"- holdout: {snapshot.holdout_rows:,} labelled rows of {code(snapshot.holdout)}"
    for item in review.decision.evidence[:1] if review.decision else ():
        yield (
            f"- interval: {item.confidence:.0%}, {item.resamples} draws of {item.blocks} calendar days, "
            f"seed {item.seed}; both models on the same draws"
        )


def _trained(candidate: str, snapshot: Snapshot) -> str:
    return f"{code(candidate)} trained on {snapshot.train_rows:,} rows of {code(snapshot.train)}"


def _unsaid(review: Review) -> Iterator[str]:
    yield "Nothing was promoted, and no model was registered: after the merge the pipeline's own gate decides."
    yield "One training on a short span: its values are not those of production, and another span may decide otherwise."
    times = len(review.snapshot.leak_checked) if review.snapshot else 0
    yield f"The leak check saw {times} sampled decision times; a leak that shows at others alone is not excluded."
    if review.champion and review.snapshot and review.champion.snapshot.train != review.snapshot.train:
        yield "The champion was trained on other rows than the change: part of the gain is theirs."
    yield "Models are trained by the library of this checkout: what a change of `include/airloop` does is not compared."
    yield "Materialization, scoring and monitoring did not run."


def _title(name: str) -> str:
    if name not in METRICS:
        return code(name)
    better = "lower" if METRICS[name].sign < 0 else "higher"
    return f"{METRICS[name].title} ({better} is better)"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.4f}"  # no negative zero


def _gain(evidence: Evidence | None) -> str:
    if evidence is None:
        return "-"
    gain, lower, upper = (f"{value + 0.0:+.4f}" for value in (evidence.gain, evidence.lower, evidence.upper))
    return f"{gain} [{lower}, {upper}]"


def _gate_metric(review: Review) -> str | None:
    return review.change.pipeline.gate.compare.metric if review.change else None
