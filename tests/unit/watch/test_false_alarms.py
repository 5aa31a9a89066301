"""How often luck alone asks for a training: whole stationary years, looked at in every rhythm."""

import numpy as np
import pytest
from scipy import stats
from tests.support.triage_months import POLICY

from airloop.models import evidence, sure_bound
from airloop.models.bootstrap import Bootstrap
from airloop.watch.rhythm import LOOKS_A_YEAR, level

YEARS = 300
ALPHA = 1 - POLICY.confidence
DAYS_BETWEEN = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 30}
NEIGHBOURS = (1, 2, 3)


def stationary(kind, years, days):
    """Gains of the probe on each day of worlds that do not change: none on average."""
    draw = np.random.default_rng(11)
    if kind == "normal":
        return draw.normal(size=(years, days))
    if kind == "heavy tails":
        return draw.standard_t(3, size=(years, days))
    if kind == "rare large losses":
        return 2 - draw.gamma(2, size=(years, days))
    steps = draw.normal(size=(years, days + 30))
    for day in range(1, steps.shape[1]):
        steps[:, day] += 0.2 * steps[:, day - 1]
    return steps[:, 30:]


def asked(gains, every, *, over_days=28):
    """Which years ask for any training. Within a day an hourly look sees the same whole days as the one before it."""
    over = 30 if every == "monthly" else over_days
    ends = np.arange(over, gains.shape[1] + 1, DAYS_BETWEEN[every])
    spent = level(every, POLICY)
    quantile = stats.t.ppf(1 - spent, over - 1)
    years = np.zeros(len(gains), dtype=bool)
    for end in ends:
        seen = gains[:, end - over : end]
        # No multiplier is below Student's: the others cannot ask.
        suspects = np.flatnonzero(~years & (seen.mean(1) > quantile * seen.std(1) / np.sqrt(over - 1)))
        years[suspects] = [bound_of(seen[year], spent) > 0 for year in suspects]
    return years


def bound_of(days, spent):
    added = days - days.mean()
    blocks = {size: np.convolve(added, np.ones(size), "valid") for size in NEIGHBOURS}
    return sure_bound.bound(float(days.mean()), added, blocks, spent)


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "rare large losses", "days like their neighbours"])
@pytest.mark.parametrize("every", list(LOOKS_A_YEAR))
def test_a_stationary_year_asks_for_a_training_no_more_often_than_declared(every, kind):
    share = asked(stationary(kind, YEARS, 365 + 28), every).mean()
    # Two standard errors of a share of 300 years.
    assert share <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / YEARS)


@pytest.mark.parametrize("every", ["daily", "weekly", "monthly"])
def test_the_interval_of_each_look_alone_would_ask_far_too_often(every):
    gains = stationary("normal", YEARS, 365 + 28)
    over = 30 if every == "monthly" else 28
    quantile = stats.t.ppf(POLICY.confidence, over - 1)
    ends = np.arange(over, gains.shape[1] + 1, DAYS_BETWEEN[every])
    looks = [gains[:, end - over : end] for end in ends]
    naive = np.any([seen.mean(1) > quantile * seen.std(1) / np.sqrt(over - 1) for seen in looks], axis=0)
    assert naive.mean() > 0.5


@pytest.mark.parametrize("every", list(LOOKS_A_YEAR))
def test_a_change_is_found_within_two_windows_of_evidence(every):
    change = 100
    gains = stationary("normal", YEARS, change + 2 * 31)
    gains[:, change:] += 1.4
    before, all_of_it = asked(gains[:, :change], every), asked(gains, every)
    assert before.mean() <= ALPHA
    assert all_of_it.mean() >= 0.95


@pytest.mark.parametrize("level_of_look", [0.05, 1e-3, 1e-5])
def test_the_bound_of_evidence_is_the_one_that_was_simulated(level_of_look):
    draw = np.random.default_rng(3)
    days, rows = 28, 40
    labels = draw.integers(0, 2, days * rows).astype(float)
    champion, candidate = draw.uniform(size=(2, days * rows))
    block = np.repeat(np.arange(days), rows)
    found = evidence.compare(
        labels, champion, candidate, block, metric="brier", bootstrap=Bootstrap(0.9, 200, 1, level=level_of_look)
    )
    by_day = ((champion - labels) ** 2 - (candidate - labels) ** 2).reshape(days, rows).mean(1)
    assert found.level == level_of_look
    assert found.sure_lower == pytest.approx(bound_of(by_day, level_of_look))
    assert found.sure_lower < found.gain


def test_a_stricter_level_asks_for_more_and_skewed_losses_for_more_still():
    draw = np.random.default_rng(4)
    even, losses = draw.normal(size=28), 1 - draw.exponential(size=28)
    bounds = [sure_bound.multiplier(even, spent) for spent in (0.05, 1e-3, 1e-5)]
    assert bounds == sorted(bounds)
    student = sure_bound.multiplier(-losses, 1e-3)
    assert student == pytest.approx(stats.t.ppf(1 - 1e-3, 27))
    assert sure_bound.multiplier(losses, 1e-3) > student


def test_too_few_days_or_an_undefined_gain_have_no_bound():
    def mean(draws):
        return draws @ np.arange(draws.shape[1]) / draws.sum(1)

    assert sure_bound.sure_lower(mean, 4, 0.01) is None
    assert sure_bound.sure_lower(mean, 5, 0.01) is not None
    assert sure_bound.sure_lower(lambda draws: mean(draws) * np.nan, 20, 0.01) is None
