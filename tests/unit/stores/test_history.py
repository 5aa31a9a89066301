"""Who is champion at an instant: one rule, whoever asks, also when promotions took effect in another order."""

from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import strategies as st
from tests.support.ledger_entries import act, begin, decided, put_in_force

from airloop.config import load_pipeline
from airloop.deployment import Deployment
from airloop.errors import GuardRefused
from airloop.models import evaluate
from airloop.pages.champion import champion_card
from airloop.pages.site import Site
from airloop.records import Window
from airloop.serving import score
from airloop.settings import Settings
from airloop.stores import ledger
from airloop.stores.ledger import History
from airloop_platform.replay.counterfactual import _Sides

MARCH = datetime(2013, 3, 1, tzinfo=UTC)
DECLARED = load_pipeline("flight_delays", Settings())
PROMOTIONS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5)), min_size=1, max_size=6)
NUMBER = iter(range(1_000_000))


def day(number):
    return MARCH + timedelta(days=number)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("history"))


def newest(promotions, until=99, but_not=None):
    """Version of the largest day up to `until`, the later one of equal days."""
    counted = [(at, place, version) for place, (version, at) in enumerate(promotions)]
    counted = [item for item in counted if item[0] <= until and item[2] != but_not]
    return max(counted)[2] if counted else None


@hypothesis.settings(max_examples=8)
@hypothesis.given(PROMOTIONS)
def test_all_who_ask_agree_when_promotions_took_effect_out_of_order(settings, promotions):
    pipeline = DECLARED.model_copy(update={"name": f"p{next(NUMBER)}"})
    for version, at in promotions:
        put_in_force(settings, pipeline.name, version, day(at))
    for number in range(-1, 6, 2):
        window, training = Window(day(number), day(number + 1)), Window(day(-9), day(number))
        expected = newest(promotions, number)
        assert ledger.champion_at(settings, pipeline.name, day(number)) == expected
        assert score.serving_version(pipeline, window, settings, mode="live") == expected
        for version in (1, 2, 9):
            judged_against = evaluate.incumbent(ledger.history(settings, pipeline.name), training, version=version)
            assert judged_against == newest(promotions, number, but_not=version)
        if expected is not None:
            sides = _Sides.of(ledger.history(settings, pipeline.name), window)
            assert (sides.in_force, sides.before) == (expected, newest(promotions, number - 1))
    history = ledger.history(settings, pipeline.name)
    card = champion_card(Site(settings, "", MARCH), pipeline, (), history, {})
    backtest = score.serving_version(pipeline, window, settings, mode="backtest")
    assert card is not None
    assert (card.version, backtest, history.champion()) == (newest(promotions),) * 3


def test_an_unfinished_promotion_is_open_until_it_is_done_or_given_up(settings):
    name = "unfinished"
    number = decided(settings, name, 1, at=MARCH)
    assert ledger.history(settings, name).open_move() is None
    begun = begin(settings, name, 1, number, at=MARCH)
    assert ledger.history(settings, name).open_move() == begun
    done = act(settings, name, "done", 1, number, at=MARCH, previous=None)
    assert ledger.history(settings, name).open_move() is None
    assert ledger.history(settings, name).done_of(number) == done
    begun = begin(settings, name, 2, decided(settings, name, 2, at=MARCH, champion=1), at=MARCH, previous=1)
    payload = {"gives_up": begun.sequence}
    ledger.append(settings, name, kind="reconciled", effective_at=MARCH, payload=payload)
    assert ledger.history(settings, name).open_move() is None
    assert ledger.history(settings, name).champion() == 1


def test_challengers_are_those_that_promotion_would_take(settings):
    name = "challenged"
    for version in (1, 2):
        decided(settings, name, version, at=MARCH)
    assert ledger.history(settings, name).challengers() == (1, 2)
    put_in_force(settings, name, 3, MARCH)
    assert ledger.history(settings, name).challengers() == ()
    decided(settings, name, 5, at=day(1), champion=3)
    decided(settings, name, 4, at=day(1), champion=3)
    decided(settings, name, 6, at=day(1), champion=3, outcome="refused")
    assert ledger.history(settings, name).challengers() == (5, 4)
    decided(settings, name, 5, at=day(1), champion=3, outcome="refused")
    assert ledger.history(settings, name).challengers() == (4,)


def test_an_empty_history_has_no_answers():
    empty = History(())
    assert (empty.champion(), empty.open_move(), empty.challengers()) == (None, None, ())


def test_nobody_is_told_who_is_champion_by_a_ledger_that_does_not_verify(settings):
    pipeline = DECLARED.model_copy(update={"name": "tampered"})
    put_in_force(settings, "tampered", 1, MARCH)
    act(settings, "tampered", "done", 2, 99, at=MARCH, previous=1)
    window = Window(day(1), day(2))
    for ask in (
        lambda: score.serving_version(pipeline, window, settings, mode="live"),
        lambda: evaluate.inputs(Deployment(pipeline, settings), window, snapshot=None, trained=None),
        lambda: ledger.champion_at(settings, "tampered", day(1)),
    ):
        with pytest.raises(GuardRefused, match="the ledger of tampered does not verify: entry 4"):
            ask()
