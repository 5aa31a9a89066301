"""Of an hourly pipeline with daily looks, pages show the newest look too, though the newest windows are this day's."""

from datetime import timedelta

import pytest
from tests.support import pages_stand, toy

from airloop import reports
from airloop.pages import history, overview, window_page
from airloop.records import BuiltFeatures, Scored, TableCheck, Validated, Window
from airloop.settings import Settings

HOURS, LOOKS = 40, (0, 1, 2)


def hour(number: int) -> Window:
    start = toy.days(4, 5).start + timedelta(hours=number)
    return Window(start, start + timedelta(hours=1))


@pytest.fixture
def hourly(toy_settings: Settings) -> Settings:
    """A champion, three daily looks, and since the last of them forty hours that are scored."""
    pages_stand.remember_training(toy_settings, 1, cutoff_day=1)
    at = toy.days(0, 1).start
    pages_stand.promote(toy_settings, 1, pages_stand.decide(toy_settings, 1, at=at), at=at)
    for day in LOOKS:
        pages_stand.save(
            toy_settings, "monitor", toy.days(day, day + 1), pages_stand.monitored(toy.days(day, day + 1), 1)
        )
        pages_stand.triage(toy_settings, toy.days(day, day + 1))
    for number in range(HOURS):
        window = hour(number)
        checks = (TableCheck("jobs", 60, 0, 0.0, (), ()),)
        pages_stand.save(toy_settings, "validate_raw", window, Validated(window, "raw", checks, (), "uri"))
        pages_stand.save(toy_settings, "build_features", window, BuiltFeatures(window, (), "", 60))
        pages_stand.save(toy_settings, "score", window, Scored(window, 1, "champion", "live", 58, 58, 1))
    return toy_settings


def test_the_loop_and_the_charts_show_the_newest_looks(hourly: Settings) -> None:
    html = overview.page(pages_stand.site(hourly), "toy")
    assert "no champion was judged yet" not in html
    assert "nothing was triaged yet" not in html
    assert "live Brier score of 2020-01-03" in html.replace("Brier of", "Brier score of")
    assert html.count('class="dot"') >= len(LOOKS)


def test_the_card_of_the_index_says_what_the_newest_look_called_for(hourly: Settings) -> None:
    assert "triage: nothing" in overview.index(pages_stand.site(hourly), ["toy"])


def test_a_look_in_the_table_is_no_window_that_nobody_validated(hourly: Settings) -> None:
    html = overview.page(pages_stand.site(hourly), "toy", before=hour(3).start)
    assert html.count(">a look<") == len(LOOKS)
    assert "not validated" not in html


def test_a_window_whose_data_run_failed_is_still_not_validated(hourly: Settings) -> None:
    window = hour(HOURS)
    pages_stand.save(hourly, "validate_raw", window, Validated(window, "raw", (), (), "uri"))
    assert "not validated" in overview.page(pages_stand.site(hourly), "toy")


def test_every_window_is_on_one_page_once_by_the_links_to_older_ones(hourly: Settings) -> None:
    shown, before = [], None
    while found := history.windows(hourly, "toy", limit=7, before=before):
        shown += [seen.window for seen in found]
        before = found[-1].window.start
    assert len(shown) == len(set(shown)) == HOURS + len(LOOKS)


def test_the_page_of_an_hour_that_was_built_with_others_shows_their_report(hourly: Settings) -> None:
    six = Window(hour(2).start, hour(7).end)
    pages_stand.save(hourly, "validate_features", six, Validated(six, "features", (), (), "uri"))
    reports.publish(
        reports.report_uri(hourly, "toy", "validation", "features", window=six, suffix=".html"), "x", hourly
    )
    pages = {number: window_page.page(pages_stand.site(hourly), "toy", hour(number)) for number in (1, 2, 7, 8)}
    told = {
        number: "Validation: features, 2020-01-05 02:00 to 2020-01-05 08:00" in page for number, page in pages.items()
    }
    assert told == {1: False, 2: True, 7: True, 8: False}
