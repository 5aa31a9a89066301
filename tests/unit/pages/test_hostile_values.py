"""No value of the data is markup of a page: not its columns, files, keys, descriptions, reasons or notes."""

import pyarrow as pa
import pytest
from tests.support import pages_stand, toy
from tests.support.pages_stand import site

from airloop.config import load_pipeline
from airloop.data import profile, refused_section, validation_page
from airloop.pages import decisions, overview, run_page, window_page
from airloop.pages.app import Run
from airloop.records import SetAside
from airloop.reports.rendering import render
from airloop.settings import Settings

HOSTILE = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script>"
DAY = toy.days(0, 1)


def _declare(settings: Settings) -> None:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = declared.read_text().replace("owner: tests", f"owner: {_quoted(HOSTILE)}")
    text = text.replace("description: Will", f"description: {_quoted(HOSTILE)} #")
    declared.write_text(text)
    assert load_pipeline("toy", settings).description == HOSTILE


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refuse_markup(html: str) -> None:
    assert "<img" not in html
    assert "<script>alert" not in html
    assert "onerror" in html


def test_pages_show_a_hostile_description_and_owner_as_text(toy_settings: Settings) -> None:
    _declare(toy_settings)
    pages_stand.remember(toy_settings)
    here = site(toy_settings)
    for page in (overview.page(here, "toy"), overview.index(here, ["toy"])):
        _refuse_markup(page)


def test_a_broken_declaration_is_quoted_as_text(toy_settings: Settings) -> None:
    declared = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    declared.write_text(declared.read_text().replace("calendar: daily", f"calendar: {_quoted(HOSTILE)}"))
    _refuse_markup(overview.index(site(toy_settings), ["toy"]))


def test_why_reason_and_run_id_are_text(toy_settings: Settings) -> None:
    pages_stand.remember(toy_settings)
    here = site(toy_settings)
    assert pages_stand.NASTY not in decisions.page(here, "toy")
    run = Run({}, {}, None)
    for group in ("data", "training"):
        page = run_page.page(
            here, f"toy__{group}", HOSTILE, results=run.results, conf=run.conf, partition=run.partition
        )
        _refuse_markup(page)
    _refuse_markup(window_page.page(here, "toy", DAY, run=HOSTILE))


@pytest.mark.parametrize("layer", ["raw", "features"])
def test_the_validation_page_escapes_problems_and_names_of_files(toy_settings: Settings, layer: str) -> None:
    aside = SetAside(HOSTILE, HOSTILE, "", HOSTILE)
    remarks = validation_page.Remarks(waiting=(HOSTILE,), set_aside=(aside,))
    page = validation_page.content(HOSTILE, layer, DAY, (), remarks)
    page["problems"] = [HOSTILE]
    _refuse_markup(validation_page.to_html(page))


def test_quarantined_values_rules_and_sources_are_text() -> None:
    row = {
        "feed": HOSTILE,
        "key": {HOSTILE: HOSTILE},
        "rules": HOSTILE,
        "values": {HOSTILE: HOSTILE},
        "source": HOSTILE,
    }
    feed = {"feed": HOSTILE, "files": HOSTILE, "rows": 9, "rules": {HOSTILE: 1}, "first": [row]}
    _refuse_markup(refused_section.quarantined(HOSTILE, [feed, {**feed, "files": None}]))


def test_the_data_profile_shows_columns_and_values_as_text(toy_settings: Settings) -> None:
    rows = pa.table({HOSTILE: [HOSTILE, HOSTILE, "plain"]})
    columns = list(profile._columns(rows))
    table = {"layer": "clean", "name": HOSTILE, "rows": rows.num_rows, "static": False, "columns": columns}
    page = render("profile.html", pipeline=load_pipeline("toy", toy_settings), window=DAY, tables=[table])
    _refuse_markup(page)
