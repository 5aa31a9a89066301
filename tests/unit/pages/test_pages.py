"""The pages show what was recorded, escape it, load nothing from elsewhere, and have a word for what is not there."""

import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from tests.support import pages_stand, toy
from tests.support.pages_stand import MLFLOW, NASTY

from airloop.errors import ConfigError
from airloop.pages import decisions, features, overview, run_page, window_page
from airloop.reports import rendering
from airloop.settings import Settings
from airloop.stores import state, tables

TOY_PAGES = {
    "index": lambda site: overview.index(site, ["toy"]),
    "overview": lambda site: overview.page(site, "toy"),
    "ledger": lambda site: decisions.page(site, "toy"),
    "features": lambda site: features.page(site, "toy"),
    "all features": lambda site: features.index(site, ["toy"]),
    "window": lambda site: window_page.page(site, "toy", toy.days(2, 3), report="drift"),
    "training": lambda site: run_page.page(
        site, "toy__training", NASTY, results={"decide": [{"sequence": 5}]}, conf={}, partition=None
    ),
    "inbox": lambda site: run_page.page(site, "toy__inbox", NASTY, results={}, conf={}, partition=None),
}


@pytest.fixture
def remembered(toy_settings: Settings) -> Settings:
    pages_stand.remember(toy_settings)
    pages_stand.write_report(toy_settings, "monitoring", window=toy.days(2, 3))
    return toy_settings


@pytest.fixture(params=TOY_PAGES)
def page(request: pytest.FixtureRequest) -> Iterator[Callable[[Settings], str]]:
    return lambda settings: TOY_PAGES[request.param](pages_stand.site(settings))


def text(html: str) -> str:
    """What a person reads."""
    visible = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(visible.split())


def test_every_page_opens_before_anything_has_happened(toy_settings: Settings, page: Callable[[Settings], str]) -> None:
    assert "toy" in page(toy_settings)


def test_every_page_escapes_what_was_recorded(remembered: Settings, page: Callable[[Settings], str]) -> None:
    assert NASTY not in page(remembered)


def test_no_page_loads_or_links_anything_from_elsewhere(remembered: Settings, page: Callable[[Settings], str]) -> None:
    html = page(remembered)
    strangers = {at for at in pages_stand.addresses(html) if not f"{at}/".startswith(("/airloop/", "#", f"{MLFLOW}/"))}
    assert strangers == set()
    assert set(re.findall(r"https?://[\w.:-]+", html)) <= {MLFLOW}


def test_no_page_offers_to_write(remembered: Settings, page: Callable[[Settings], str]) -> None:
    assert not re.search(r"<(form|button|input|select|textarea)\b", page(remembered))


def test_the_overview_shows_the_whole_loop(remembered: Settings) -> None:
    seen = text(overview.page(pages_stand.site(remembered), "toy"))
    assert "Data 60 to predict in 2020-01-03; 0 rows quarantined" in seen
    assert "Predictions 58 predictions of 2020-01-03 by v1" in seen
    assert "Monitoring 0.2000 live Brier of 2020-01-03, 33 % of features drifted" in seen
    assert "Triage nothing after 2020-01-03: no gain is sure" in seen
    assert "Gate v2 refused v1 is the champion" in seen
    assert "v1 forest In force since 2020-01-03 (24 h)" in seen
    assert "1234 rows, 3 features" in seen.replace("1,234", "1234")
    assert "2020-01-02 60 2 – – – – – v1 passed hand" in seen


def test_the_overview_counts_what_is_predicted_and_not_the_rows_of_its_feeds(remembered: Settings) -> None:
    # 60 jobs; 120 measurements and 5 machines say something about them.
    assert "2020-01-01 60 0" in text(overview.page(pages_stand.site(remembered), "toy"))


def test_before_the_first_champion_the_overview_says_how_there_will_be_one(toy_settings: Settings) -> None:
    seen = text(overview.page(pages_stand.site(toy_settings), "toy"))
    assert "None yet. Start toy__training" in seen
    assert "No window has gone through yet." in seen


def test_windows_come_a_page_at_a_time(toy_settings: Settings) -> None:
    for day in range(30):
        pages_stand.remember_window(toy_settings, day)
    site = pages_stand.site(toy_settings)
    first = overview.page(site, "toy")
    assert "2020-01-30" in text(first)
    assert "2020-01-06" not in text(first)
    older = re.search(r'before=([^"]+)">Older windows', first)
    assert older is not None
    second = overview.page(site, "toy", before=toy.START.replace(day=7))
    assert "2020-01-06" in text(second)
    assert "Older windows" not in text(second)
    assert "Newest windows" in text(second)
    assert "Data 60 to predict in 2020-01-30" in text(second)


def test_a_pipeline_that_cannot_be_read_hides_no_other(remembered: Settings) -> None:
    folder = remembered.pipelines_dir / "broken"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text("name: [")
    site = pages_stand.site(remembered)
    for seen in (text(overview.index(site, ["broken", "toy"])), text(features.index(site, ["broken", "toy"]))):
        assert "not readable as YAML" in seen
        assert "toy" in seen


def test_a_report_learns_the_theme_before_its_own_scripts_and_keeps_its_doctype() -> None:
    themed = rendering.with_theme("<!doctype html><html><head lang='en'><script>its()</script></head></html>")
    assert themed.startswith("<!doctype html><html><head lang='en'><script>")
    assert themed.index("prefers-color-scheme") < themed.index("its()")
    assert rendering.with_theme("<p>report</p>").endswith("</script><p>report</p>")


def test_an_unknown_pipeline_is_an_error_of_its_own(toy_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="unknown pipeline 'shop'"):
        overview.page(pages_stand.site(toy_settings), "shop")


def test_the_ledger_shows_evidence_floors_why_who_and_the_chain(remembered: Settings) -> None:
    html = decisions.page(pages_stand.site(remembered), "toy")
    seen = text(html)
    assert "The chain holds. 5 entries recomputed just now" in seen
    assert "refused Version 2 against champion 1 Brier 0.1800, must be at most 0.2200" in seen
    assert "judged by its floors only" in seen
    assert "+0.0200" in seen
    assert "+0.0100 to +0.0300" in seen
    assert 'class="interval good"' in html
    assert 'class="interval open"' in html
    assert '<li class="failed">' in html
    assert "promoted Version 1 is champion, the first one, by decision 1" in seen


def test_a_tampered_ledger_is_told_in_words(remembered: Settings) -> None:
    with state.transaction(remembered) as connection:
        table = tables.ledger_entries
        connection.execute(sa.update(table).where(table.c.sequence == 1).values(payload='{"outcome":"passed"}'))
    seen = text(decisions.page(pages_stand.site(remembered), "toy"))
    assert "The chain does not hold." in seen
    assert "entry 1 (decision) was changed" in seen


def test_the_ledger_comes_a_page_at_a_time(toy_settings: Settings) -> None:
    for number in range(60):
        pages_stand.append(toy_settings, "alarm", toy.START, {"why": f"alarm number {number}"})
    site = pages_stand.site(toy_settings)
    first = text(decisions.page(site, "toy"))
    assert "Alarm number 59" in first
    assert "Alarm number 9 " not in first
    assert "Older entries" in first
    second = text(decisions.page(site, "toy", before=11))
    assert "Alarm number 9 " in second
    assert "Alarm number 10 " not in second
    assert "Newest entries" in second


def test_mlflow_is_linked_by_experiment_version_and_candidates(remembered: Settings) -> None:
    found = pages_stand.addresses(overview.page(pages_stand.site(remembered), "toy"))
    assert f"{MLFLOW}/#/experiments/17/runs" in found
    assert f"{MLFLOW}/#/models/toy/versions/1" in found
    compared = next(at for at in found if "compare-runs" in at)
    assert "run10" in compared
    assert "run11" in compared
    assert "17" in compared


@pytest.mark.parametrize("url", ["", "https://ml.example/mlflow/", "https://user:pass-word@ml.example/mlflow"])
def test_mlflows_address_is_shown_without_a_login_and_not_invented(remembered: Settings, url: str) -> None:
    site = pages_stand.site(remembered)
    html = overview.page(type(site)(remembered.model_copy(update={"mlflow_ui_url": url}), site.base, site.now), "toy")
    assert "pass-word" not in html
    assert ("https://ml.example/mlflow/#/models/toy" in html) is bool(url)
