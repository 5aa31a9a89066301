"""The page Pipelines says what needs somebody, worst first; what data say in it stays text."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support import pages_stand, toy, toy_fleet

from airloop.pages import decisions, features, overview, window_page
from airloop.records import Alert
from airloop.settings import Settings
from airloop.stores import alerts, ledger

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NASTY = pages_stand.NASTY


def alert(severity: str, what: str, cause: str = "", link: str = "airloop/pipelines/toy/ledger#entry-3") -> Alert:
    return Alert("run_failed", cause or what, severity, what, f"because {NASTY}", "run 1", link, "Mend it.")


def index(settings: Settings, *names: str) -> str:
    return overview.index(pages_stand.site(settings), names or ["toy"])


def test_the_worst_stands_first_and_of_one_severity_the_newest(toy_settings: Settings) -> None:
    toy_fleet.add(toy_settings, "alpha")
    alerts.note(toy_settings, "toy", [alert("warning", "older"), alert("info", "asked for")], now=NOW)
    alerts.note(toy_settings, "alpha", [alert("warning", "newer")], now=NOW + timedelta(hours=1))
    alerts.note(toy_settings, "alpha", [alert("critical", "stands")], now=NOW - timedelta(hours=1))
    html = index(toy_settings, "alpha", "toy")
    places = [html.index(text) for text in (">stands<", ">newer<", ">older<", ">asked for<")]
    assert places == sorted(places)
    assert "alpha: <a" in html


def test_what_it_says_is_text_and_its_page_is_linked(toy_settings: Settings) -> None:
    alerts.note(toy_settings, "toy", [alert("warning", f"odd {NASTY}")], now=NOW)
    for html in (index(toy_settings), overview.page(pages_stand.site(toy_settings), "toy")):
        assert NASTY not in html
        assert "/airloop/pipelines/toy/ledger#entry-3" in pages_stand.addresses(html)
        assert "Mend it." in html


def test_a_page_of_airflows_own_is_linked_in_a_tab_of_its_own(toy_settings: Settings) -> None:
    alerts.note(toy_settings, "toy", [alert("critical", "stands", link="dags/toy__data/runs/a%2Bb")], now=NOW)
    assert '<a href="/dags/toy__data/runs/a%2Bb" class="out" target="_blank" rel="noopener">Stands</a>' in index(
        toy_settings
    )


def test_without_an_open_alert_there_is_no_panel(toy_settings: Settings) -> None:
    assert "What needs somebody" not in index(toy_settings)
    alerts.note(toy_settings, "toy", [alert("warning", "gone")], now=NOW)
    assert "What needs somebody" in index(toy_settings)
    alerts.note(toy_settings, "toy", [], now=NOW, is_over=lambda _alert: True)
    assert "What needs somebody" not in index(toy_settings)


@pytest.mark.parametrize("kind", sorted(ledger.KINDS))
@pytest.mark.parametrize("payload", [{}, {"version": 1}, {"version": "one", "evidence": None, "why": None}])
def test_an_entry_that_lacks_keys_breaks_no_page(toy_settings: Settings, kind: str, payload: dict[str, object]) -> None:
    window = pages_stand.remember_window(toy_settings, 1)
    ledger.append(toy_settings, "toy", kind=kind, effective_at=toy.START + timedelta(days=2), payload=payload)
    site = pages_stand.site(toy_settings)
    for html in (
        index(toy_settings),
        overview.page(site, "toy"),
        decisions.page(site, "toy"),
        features.page(site, "toy"),
        window_page.page(site, "toy", window, report="", run=""),
    ):
        assert "declaration is wrong" not in html
    assert 'id="entry-1"' in decisions.page(site, "toy")


def test_a_card_shows_an_alarm_until_somebody_answers_it(toy_settings: Settings) -> None:
    pages_stand.remember_window(toy_settings, 1)
    at = toy.START + timedelta(days=2)
    ledger.append(toy_settings, "toy", kind="alarm", effective_at=at, payload={"alarm": "a1", "why": "labels are gone"})
    assert "Labels are gone" in index(toy_settings)
    ledger.append(toy_settings, "toy", kind="answered", effective_at=at, payload={"alarm": "a2", "answer": "accepted"})
    assert "Labels are gone" in index(toy_settings)
    ledger.append(toy_settings, "toy", kind="answered", effective_at=at, payload={"alarm": "a1", "answer": "accepted"})
    assert "Labels are gone" not in index(toy_settings)


def test_many_pipelines_come_in_pages_and_their_alerts_all_at_once(toy_settings: Settings) -> None:
    names = [toy_fleet.add(toy_settings, f"shop_{number:02}").name for number in range(35)]
    alerts.note(toy_settings, names[-1], [alert("critical", "the last stands")], now=NOW)
    here, seen, after = pages_stand.site(toy_settings), [], ""
    for _ in range(2):
        html = overview.index(here, names, after=after)
        assert ">the last stands<" in html
        seen.append([name for name in names if f"<h3>{name}</h3>" in html])
        after = seen[-1][-1]
        assert (f'href="/airloop?after={after}"' in html) is (len(seen) == 1)
    assert [len(page) for page in seen] == [20, 15]
    assert [*seen[0], *seen[1]] == names
    assert "There are no more pipelines" in overview.index(here, names, after="z")
    assert "No pipeline is declared" in overview.index(here, [])
