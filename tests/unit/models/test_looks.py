"""Repeated looks are paid for: equally good candidates, tried in turn, pass no more often than alpha in all."""

import numpy as np
import pytest

from airloop.models import evidence
from airloop.models.looks import paid_confidence

ALPHA, TRIES, DAYS, ROWS = 0.05, 3, 21, 60
SEQUENCES = 800


def equally_good(seed):
    """Labels of three weeks, and models that err as much as each other: in days of their own, and in rows."""
    draw = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), ROWS)
    truth = draw.uniform(0.1, 0.9, day.size)
    labels = (draw.random(day.size) < truth).astype(float)

    def model():
        errors = np.repeat(draw.normal(0, 0.1, DAYS), ROWS) + draw.normal(0, 0.05, day.size)
        return np.clip(truth + errors, 0.01, 0.99)

    return labels, day, [model() for _ in range(TRIES + 1)]


def passes(seed, *, paid):
    """Whether any of the candidates passes `superior` against the first model."""
    labels, day, (champion, *candidates) = equally_good(seed)
    for looks, candidate in enumerate(candidates):
        seen = looks if paid else 0
        confidence = paid_confidence(1 - ALPHA, seen)
        sampled = {"metric": "brier", "confidence": confidence, "resamples": 200 * (seen + 1), "seed": 7}
        found = evidence.compare(labels, champion, candidate, day, **sampled, expanded=True)
        if found.lower > 0:
            return True
    return False


def test_equally_good_candidates_pass_no_more_often_than_alpha_in_all():
    # Two standard errors of a share that is measured on so many sequences; 3,000 of them give 0.048 and 0.113.
    most = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / SEQUENCES)
    assert np.mean([passes(seed, paid=True) for seed in range(SEQUENCES)]) <= most
    # The same candidates, judged as if each were the first.
    assert np.mean([passes(seed, paid=False) for seed in range(SEQUENCES)]) > most


@pytest.mark.parametrize(("looks", "confidence"), [(0, 0.95), (1, 0.975), (4, 0.99)])
def test_the_level_is_one_minus_alpha_over_the_looks_and_one(looks, confidence):
    assert paid_confidence(0.95, looks) == pytest.approx(confidence)


def test_expanded_intervals_are_wider_about_the_same_gain():
    labels, day, (champion, candidate, *_) = equally_good(1)
    sampled = {"metric": "brier", "confidence": 0.95, "resamples": 400, "seed": 7}
    plain = evidence.compare(labels, champion, candidate, day, **sampled)
    wider = evidence.compare(labels, champion, candidate, day, **sampled, expanded=True)
    assert wider.lower < plain.lower < plain.upper < wider.upper
    assert wider.gain == plain.gain
