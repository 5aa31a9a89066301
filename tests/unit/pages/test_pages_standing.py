"""What a pipeline waits for stands on its page, and goes when it is over; an empty window is no news."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from tests.support import hourly, ledger_entries, pages_stand, toy

from airloop.gate import lock
from airloop.pages import class_table, decisions, overview, window_page
from airloop.records import Alarm, Ingested, Monitored, Scored, SetAside, Validated, Window
from airloop.settings import Settings
from airloop.stores import alarms, lake

NASTY = pages_stand.NASTY


def text(html: str) -> str:
    visible = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(visible.split())


def page(settings: Settings, *, now: datetime | None = None) -> str:
    site = pages_stand.site(settings)
    return overview.page(replace(site, now=now) if now else site, "toy")


def test_a_lock_on_promotions_stands_there_with_what_lifts_it_until_it_is_lifted(toy_settings: Settings) -> None:
    pages_stand.remember(toy_settings)
    assert "Promotions locked" not in text(page(toy_settings))
    lock.lock(toy_settings, "toy", why=f"outcomes are checked {NASTY}", who="anna")
    html = page(toy_settings)
    assert NASTY not in html
    assert "Promotions locked by a lock of anna: outcomes are checked" in text(html)
    assert "airloop unlock toy" in text(html)
    assert "Promotions locked" in text(overview.index(pages_stand.site(toy_settings), ["toy"]))
    lock.unlock(toy_settings, "toy", why="they are right", who="anna")
    assert "locked" not in text(page(toy_settings))


def test_what_probation_did_or_could_not_do_stands_in_the_ledger_and_while_the_version_stays_on_the_page(
    toy_settings: Settings,
) -> None:
    at, lost = toy.days(1, 2).end, {"previous_version": 1, "takes_back": 3, "who": "probation"}
    pages_stand.remember(toy_settings)
    ledger_entries.two_champions(toy_settings)
    assert "Champion lost" not in text(page(toy_settings))
    why = f"version 2 stays though it lost against version 1: its files are gone {NASTY}"
    pages_stand.append(toy_settings, "not_taken_back", at, {**lost, "version": 2, "why": why})
    html = page(toy_settings)
    assert NASTY not in html
    assert "Champion lost version 2 stays though it lost against version 1: its files are gone" in text(html)
    taken = {**lost, "version": 1, "previous_version": 2, "why": "a loss", "request": "probation of 3"}
    pages_stand.append(toy_settings, "rolled_back", toy.days(20, 21).end, taken)
    assert "Champion lost" not in text(page(toy_settings))
    assert "Promotions locked" not in text(page(toy_settings))
    shown = text(decisions.page(pages_stand.site(toy_settings), "toy"))
    assert "taken back Version 1 is champion again, in place of version 2, by probation of the promotion in" in shown
    assert "not taken back Version 2 lost against version 1, and stays, by probation" in shown


def declare(settings: Settings, key: str, value: object) -> None:
    path = settings.pipelines_dir / "toy" / "pipeline.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {key: value}, sort_keys=False))


def test_a_version_that_may_wait_for_a_person_is_asked_about_until_somebody_answers(toy_settings: Settings) -> None:
    at = toy.days(1, 2).end
    decision = pages_stand.decide(toy_settings, 1, at=at)
    assert "Approval asked for" not in text(page(toy_settings))
    declare(toy_settings, "approval", {"when": "always"})
    assert f"airloop approve toy {decision}" in text(page(toy_settings))
    pages_stand.append(
        toy_settings, "rejected", at, {"decision_sequence": decision, "version": 1, "who": "b", "why": "no"}
    )
    assert "Approval asked for" not in text(page(toy_settings))


def test_a_late_file_is_named_with_since_when_and_until_when_it_is_waited_for(toy_settings: Settings) -> None:
    hourly.declare(toy_settings, files="{day}T{hour}.csv", coverage="2020-01-01", lateness_hours=6)
    eight = datetime(2020, 1, 1, 8, 30, tzinfo=UTC)
    seen = text(page(toy_settings, now=eight))
    assert (
        "Waiting 2020-01-01 02:00 waits for jobs/2020-01-01T02.csv: no file of it has landed since 2020-01-01 03:00"
        in seen
    )
    assert "Until 2020-01-01 09:00 UTC" in seen
    for number in range(8):
        at = eight.replace(hour=number, minute=0)
        for feed in ("jobs", "heat"):
            hourly.land(toy_settings, feed, at, [], name=f"{at:%Y-%m-%dT%H}.csv")
    assert "Waiting" not in text(page(toy_settings, now=eight))


def test_files_that_were_set_aside_are_named_with_why(toy_settings: Settings) -> None:
    window = pages_stand.remember_window(toy_settings, 0)
    aside = SetAside("jobs", "file:///landing/toy/jobs/2020-01-01.csv", "0", f"line 3, column 'size': {NASTY}")
    pages_stand.save(toy_settings, "ingest", window, Ingested(window, (), (), (), set_aside=(aside,)))
    for html in (page(toy_settings), window_page.page(pages_stand.site(toy_settings), "toy", window)):
        assert NASTY not in html
        assert "jobs/2020-01-01.csv" in text(html)
        assert "line 3, column" in text(html).lower()
    assert "1 file set aside" in text(page(toy_settings))


def test_an_alarm_of_a_window_says_whether_it_is_answered(toy_settings: Settings) -> None:
    window, pipeline = pages_stand.remember_window(toy_settings, 0), toy.toy_pipeline(toy_settings)
    alarm = Alarm("unit_change", "jobs.size", f"60 times what it was {NASTY}", 60.0, 1.0)
    record = Validated(window, "raw", (), (), "uri", alarms=(alarm,))
    pages_stand.save(toy_settings, "validate_raw", window, record, key="again")
    alarms.announce(pipeline, "validate_raw", window, [alarm], toy_settings)
    key = alarms.alarm_id("toy", window, alarm)
    seen = text(window_page.page(pages_stand.site(toy_settings), "toy", window))
    assert f"trainings on these rows wait: airloop alarms answer toy {key}" in seen
    assert "60 times what it was" in seen
    alarms.answer(toy_settings, pipeline, key, word=alarms.ACCEPTED, why="a new scale", who="anna")
    seen = text(window_page.page(pages_stand.site(toy_settings), "toy", window))
    assert "answered: accepted" in seen
    assert "trainings on these rows wait" not in seen
    told = text(decisions.page(pages_stand.site(toy_settings), "toy"))
    assert f"accepted By anna, of alarm {key}: 60 times what it was" in told
    assert f"validate raw 2020-01-01 to 2020-01-02 alarm {key}" in told


def test_steps_show_the_newest_window_with_data_and_not_an_empty_one(toy_settings: Settings) -> None:
    pages_stand.remember(toy_settings)
    empty = pages_stand.remember_window(toy_settings, 3, jobs=0)
    pages_stand.save(toy_settings, "score", empty, Scored(empty, 1, "champion", "live", 0, 0, 1))
    seen = text(page(toy_settings))
    assert "Data 60 to predict in 2020-01-03" in seen
    assert "Predictions 58 predictions of 2020-01-03" in seen
    assert "Newest window 2020-01-03" in text(overview.index(pages_stand.site(toy_settings), ["toy"]))


def test_a_pipeline_that_has_seen_empty_windows_alone_says_zero(toy_settings: Settings) -> None:
    pages_stand.remember_window(toy_settings, 0, jobs=0)
    assert "Data 0 to predict in 2020-01-01" in text(page(toy_settings))


def test_where_the_predictions_lie_is_said(toy_settings: Settings) -> None:
    pages_stand.remember(toy_settings)
    seen = text(page(toy_settings))
    assert "airloop predictions toy" in seen
    assert lake.table_uri(toy_settings, "toy", "predictions", "predictions") in seen


def judged(
    settings: Settings, window: Window, classes: tuple[str, ...], confusion: tuple[tuple[int, ...], ...]
) -> None:
    monitored = pages_stand.monitored(window, 1)
    pages_stand.save(settings, "monitor", window, replace(monitored, classes=classes, confusion=confusion))


def test_classes_stand_there_one_by_one_with_what_was_predicted_of_them(toy_settings: Settings) -> None:
    window = pages_stand.remember_window(toy_settings, 0)
    judged(toy_settings, window, ("cat", f"dog {NASTY}"), ((30, 10), (5, 15)))
    for html in (page(toy_settings), window_page.page(pages_stand.site(toy_settings), "toy", window)):
        assert NASTY not in html
        assert "cat 40 75 % 86 % 30 10" in text(html)
        assert "20 75 % 60 % 5 15" in text(html)


def test_a_class_that_never_came_or_was_never_predicted_has_no_share() -> None:
    lines = class_table.table({"classes": ["a", "b"], "confusion": [[0, 0], [4, 0]]})["lines"]
    assert [(line["recall"], line["precision"]) for line in lines] == [(None, 0.0), (0.0, None)]


@pytest.mark.parametrize(("classes", "shown"), [(12, True), (13, False)])
def test_a_matrix_that_is_too_wide_for_a_page_leaves_its_rows(classes: int, shown: bool) -> None:
    names = [f"class {number}" for number in range(classes)]
    found = class_table.table({"classes": names, "confusion": [[1] * classes] * classes})
    assert (found["matrix"], len(found["lines"])) == (shown, classes)


def test_a_look_of_an_older_airloop_has_no_classes_and_its_page_opens(toy_settings: Settings) -> None:
    window = pages_stand.remember_window(toy_settings, 0, champion=1)
    assert isinstance(pages_stand.monitored(window, 1), Monitored)
    assert "Recall" not in text(page(toy_settings, now=toy.START + timedelta(days=400)))
