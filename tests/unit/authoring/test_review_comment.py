"""The comment of a review: the outcome in one line, the comparison, and nothing that acts on its reader."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.support import toy

from airloop.authoring import review
from airloop.authoring.review.champion import Baseline
from airloop.authoring.review.differences import Differences
from airloop.authoring.review.findings import CHECK, DATA, LEAKS, TRAINING, Failure, Review
from airloop.authoring.review.markdown import block, code, several, table
from airloop.authoring.review.span import Span
from airloop.config import Pipeline
from airloop.gate.judge import judge
from airloop.records import Evaluated, Evidence, Snapshot
from airloop.settings import Settings

NOTHING = Differences(values=(), added=(), removed=(), redefined=False, rules=())
SNAPSHOT = Snapshot(
    pipeline="toy",
    cutoff=toy.days(0, 40).end,
    train=toy.days(20, 24),
    holdout=toy.days(25, 39),
    uri="nowhere",
    digest="d" * 64,
    train_rows=240,
    holdout_rows=840,
    unlabelled_rows=0,
    features=("celsius",),
    feature_service="toy_v1",
    feature_fingerprint="f" * 64,
    table_versions={},
    leak_checked=(toy.START, toy.START),
    reason="hand",
    reason_key="hand",
)


def evidence(gain: float, lower: float, **changes: Any) -> Evidence:
    found = Evidence(
        metric="brier",
        gain=gain,
        lower=lower,
        upper=gain + 0.01,
        confidence=0.95,
        champion=0.2,
        candidate=0.2 - gain,
        rows=840,
        blocks=14,
        resamples=200,
        seed=7,
    )
    return dataclasses.replace(found, **changes)


@pytest.fixture
def pipeline(toy_settings: Settings) -> Pipeline:
    return toy.toy_pipeline(toy_settings)


def reviewed(pipeline: Pipeline, found: Evidence | None, *, roc_auc: float = 0.8, **changes: Any) -> Review:
    """A review that got to its end, judged by the real gate."""
    evaluated = Evaluated(
        model_name="toy",
        version=0,
        champion_version=1 if found else None,
        metrics={"brier": 0.18, "roc_auc": roc_auc, "label_rate": 0.5},
        champion_metrics={"brier": 0.2, "roc_auc": None} if found else {},
        evidence=(found,) if found else (),
        holdout=SNAPSHOT.holdout,
        holdout_rows=840,
        cutoff=SNAPSHOT.cutoff,
        reason="hand",
        reason_key="hand",
        problems=(),
    )
    change: Any = SimpleNamespace(pipeline=pipeline, trained=SimpleNamespace(candidate="gradient_boosting"))
    ended = Review(
        "toy",
        "main at 1a2b3c4d5e6f",
        paths=("include/pipelines/toy/features.sql",),
        checked=("pipeline.yaml: 4 feeds",),
        differences=NOTHING,
        span=Span((toy.days(20, 40),), "nowhere", "copied from the landing folder"),
        snapshot=SNAPSHOT,
        change=change,
        champion=Baseline("version 3, in force here", 3, "forest", SNAPSHOT, np.zeros(840)) if found else None,
        evaluated=evaluated,
        decision=judge(evaluated, pipeline.gate),
    )
    return dataclasses.replace(ended, **changes)


def failed(step: str, says: str) -> Review:
    return Review("toy", "main at 1a2b3c4d5e6f", paths=("feature_repo/toy.py",), failure=Failure(step, says))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (evidence(0.02, 0.005), "**The gate would let it pass**: `gain in Brier 0.0200, interval [0.0050, 0.0300]"),
        (evidence(0.02, -0.005), "**The gate would refuse it**: `gain in Brier 0.0200, interval [-0.0050, 0.0300]"),
        (evidence(0.0, -0.01), "**Equal**: the change scores as the champion does, and the gate asks for a gain."),
        (evidence(-0.0, -0.0, upper=0.0), "**Equal**"),
        (None, "**It passes its floors**; there was no champion to compare with."),
    ],
)
def test_the_verdict_of_a_review_that_got_to_its_end(pipeline: Pipeline, found: Evidence | None, says: str) -> None:
    assert review.verdict(reviewed(pipeline, found)).startswith(says)


def test_a_floor_that_is_missed_is_said_without_a_champion_too(pipeline: Pipeline) -> None:
    found = reviewed(pipeline, None, roc_auc=0.6)
    says = (
        "**It does not pass its floors**; there was no champion to compare with. `ROC-AUC 0.6000, must be at least 0.7"
    )
    assert review.verdict(found).startswith(says)


@pytest.mark.parametrize(
    ("step", "verdict", "leaks"),
    [
        (CHECK, "**The declaration is broken**", "| leak check | not reached |"),
        (DATA, "**The data stages refuse it**", "| leak check | not reached |"),
        (LEAKS, "**It leaks**", "| leak check | **failed**: `leak: feature 'celsius'` |"),
        (TRAINING, "**It does not train.**", "| leak check | not reached |"),
    ],
)
def test_a_review_that_failed_says_where_and_why(step: str, verdict: str, leaks: str) -> None:
    text = review.as_comment([failed(step, "leak: feature 'celsius'")])
    assert text.splitlines()[2].startswith(verdict)
    assert "```\nleak: feature 'celsius'\n```" in text
    assert leaks in text
    assert "### Against" not in text


def test_champion_and_change_stand_side_by_side_with_the_interval_of_the_gain(pipeline: Pipeline) -> None:
    text = review.as_comment([reviewed(pipeline, evidence(0.02, 0.005))])
    assert "### Against `version 3, in force here`" in text
    assert "| Brier (lower is better) | 0.2000 | 0.1800 | +0.0200 [+0.0050, +0.0300] |" in text
    assert "| ROC-AUC (higher is better) | - | 0.8000 | - |" in text
    assert "| `label_rate` | - | 0.5000 | - |" in text
    assert "| `floor roc_auc` | passed | `ROC-AUC 0.8000, must be at least 0.7000` |" in text
    gate = "`gain in Brier 0.0200, interval [0.0050, 0.0300], must be above 0`"
    assert f"| `superior` | passed | {gate} |" in text


def test_rows_blocks_seed_and_spans_are_said(pipeline: Pipeline) -> None:
    text = review.as_comment([reviewed(pipeline, evidence(0.02, 0.005))])
    assert "`gradient_boosting` trained on 240 rows of `[2020-01-21T00:00Z, 2020-01-25T00:00Z)`" in text
    assert "holdout: 840 labelled rows of `[2020-01-26T00:00Z, 2020-02-09T00:00Z)`" in text
    assert "interval: 95%, 200 draws of 14 calendar days, seed 7" in text
    assert "features rebuilt from what was known at 2 decision times are the ones used" in text
    assert "part of the gain is theirs" not in text


def test_a_champion_of_other_rows_is_not_taken_for_an_equal(pipeline: Pipeline) -> None:
    other = dataclasses.replace(SNAPSHOT, train=toy.days(0, 24), train_rows=1440)
    champion = Baseline("version 3, in force here", 3, "forest", other, np.zeros(840))
    text = review.as_comment([reviewed(pipeline, evidence(0.02, 0.005), champion=champion)])
    assert "the champion: `forest` trained on 1,440 rows" in text
    assert "The champion was trained on other rows than the change: part of the gain is theirs." in text


def test_what_changed_is_listed(pipeline: Pipeline) -> None:
    changed = Differences(("training.seed: 7 -> 8",), ("load",), ("celsius",), True, ("+ raw.jobs expect(size)",))
    text = review.as_comment([reviewed(pipeline, None, differences=changed, without=("no champion here",))])
    for line in ("- `include/pipelines/toy/features.sql`", "- `training.seed: 7 -> 8`", "- `+ raw.jobs expect(size)`"):
        assert line in text
    assert "Features: `+ load`, `- celsius`; their definitions mean something else now." in text
    assert "- Not the champion here: `no champion here`" in text
    assert "### Its holdout" in text


def test_an_unchanged_declaration_and_a_missing_base_are_said(pipeline: Pipeline) -> None:
    unchanged = review.as_comment([reviewed(pipeline, None, paths=())])
    assert "No file of the declaration differs from `main at 1a2b3c4d5e6f`." in unchanged
    alone = review.as_comment([reviewed(pipeline, None, paths=None, base="none: no git")])
    assert "Unknown: there is no base commit: `none: no git`" in alone


def test_several_pipelines_share_a_comment_and_none_is_said() -> None:
    both = review.as_comment([failed(CHECK, "one"), dataclasses.replace(failed(CHECK, "two"), name="other")])
    assert both.index("## Review of `toy`") < both.index("## Review of `other`")
    assert review.as_comment([]) == "No pipeline is concerned by this change.\n"


def test_a_comment_is_never_longer_than_github_takes() -> None:
    text = review.as_comment([failed(CHECK, "x" * 100_000)])
    assert len(text) < 65_536
    assert text.endswith("... cut off; `airloop pipelines review` shows all of it\n")


HOSTILE = "@everyone ![p](https://example.com/p.png) <img src=x> `x` | ``` \n\n# Title\n[a](https://example.com)"


def test_what_comes_from_a_change_is_only_ever_code(pipeline: Pipeline) -> None:
    changed = Differences((HOSTILE,), (HOSTILE,), (), True, (HOSTILE,))
    named = reviewed(pipeline, None, differences=changed, paths=(HOSTILE,), checked=(HOSTILE,), without=(HOSTILE,))
    text = review.as_comment([named, failed(LEAKS, HOSTILE)])
    fenced = False
    for line in text.splitlines():
        if line.startswith("````"):
            fenced = not fenced
        elif not fenced:
            outside = "".join(line.split("`")[::2])
            assert not any(part in outside for part in ("@", "!", "<", "http", "Title"))
            assert line.count("`") % 2 == 0
    assert not fenced


def test_code_stays_one_line_and_one_cell() -> None:
    assert code("a\n`b`") == "`a 'b'`"
    assert code("") == "`-`"
    assert block("``` x ```` y") == "`````\n``` x ```` y\n`````"
    assert table(("a", "b"), [("`x|y`", "z")]) == "| a | b |\n| --- | --- |\n| `x\\|y` | z |"
    assert several(["a", "b", "c"], most=2) == "- `a`\n- `b`\n- ... and 1 more"
