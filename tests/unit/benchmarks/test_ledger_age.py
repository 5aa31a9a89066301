"""The ledger that the benchmark asks is one that verifies, with a promotion in every period."""

from benchmarks import ledger_age

from airloop.settings import Settings
from airloop.stores import ledger


def test_the_ledger_of_the_benchmark_verifies_and_has_a_champion_of_each_period(tmp_path):
    settings = Settings(home=tmp_path)
    ledger_age.write(settings, entries=1200)
    assert ledger.verify(settings, "past") == []
    assert ledger.head(settings, "past") == 1200
    asked = [ledger_age.FIRST + ledger_age.timedelta(hours=hours) for hours in (2, 3, 503, 1200)]
    assert [ledger.champion_at(settings, "past", at) for at in asked] == [None, 1, 2, 3]
