"""The plugin's pages on a real platform: closed without a login, whole in a browser, in light and dark, offline."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests.support import pages_stand, toy
from tests.support.pages_browser import CHROMIUM, Browser, browser
from tests.support.waiting import bound

from airloop.stores import reviews
from airloop.stores.reviews import Item
from airloop_platform.supervisor import Platform

pytestmark = pytest.mark.e2e
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")

WINDOW = toy.days(58, 59)  # of no other test
SAYS = {
    "/": "Will a job fail?",
    "/features": "machine_heat",
    "/pipelines/{pipeline}": "2020-02-28",
    "/pipelines/{pipeline}/ledger": "Ledger of toy",
    "/pipelines/{pipeline}/features": "job_size",
    "/pipelines/{pipeline}/serving": "Serving of toy",
    "/pipelines/{pipeline}/review": "Nothing waits for you",
    "/pipelines/{pipeline}/windows/{start}/{end}": "Data profile",
    "/reports/{path:path}": "toy: validation of rows",
    "/dags/{dag_id}": "Champion in force",
    "/dags/{dag_id}/runs/{run_id:path}": "2020-02-28",
}
REVIEW = "/pipelines/{pipeline}/review"
# Whether toy has a version here depends on the tests before; tests/unit/pages/test_version_page.py reads its card.
VERSION = "/pipelines/{pipeline}/versions/{version}"
ASKS_THE_SYSTEM = """<!doctype html><html><head><title>report</title></head><body><script>
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => { document.body.style.background = dark.matches ? "black" : "white"; };
dark.addListener(paint); paint();
</script></body></html>"""


@dataclass(frozen=True)
class Site:
    """The pages of a platform on which the window's data run has succeeded."""

    platform: Platform
    routes: dict[str, str]
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def path(self, route: str) -> str:
        return f"/airloop{self.routes[route]}"

    def get(self, route: str, **options: object) -> httpx.Response:
        return httpx.get(f"{self.platform.airflow_url}{self.path(route)}", timeout=bound(60), **options)


@pytest.fixture(scope="module")
def site(platform) -> Site:
    toy.land(platform.settings, days=range(58, 59))
    run = platform.run("data", {"start": toy.text(WINDOW.start), "end": toy.text(WINDOW.end)})
    pages_stand.write_report(platform.settings, "monitoring", window=WINDOW, text=ASKS_THE_SYSTEM)
    started = platform.platform
    login = {"username": started.username, "password": started.password}
    token = httpx.post(f"{started.airflow_url}/auth/token", json=login).json()["access_token"]
    return Site(started, pages_stand.routes(WINDOW, run.run_id), token)


@pytest.fixture
def chromium(site: Site) -> Iterator[Browser]:
    with browser(site.platform.airflow_url, site.headers) as made:
        yield made


@pytest.mark.parametrize("route", SAYS)
def test_a_page_opens_with_the_login_and_is_refused_without(site: Site, route: str) -> None:
    refused = [
        site.get(route),
        site.get(route, headers={"Authorization": "Bearer of.no.login"}),
        site.get(route, cookies={"_token": "of.no.login"}),
        site.get(route, auth=(site.platform.username, site.platform.password)),
    ]
    assert {answer.status_code for answer in refused} <= {401, 403}
    assert not any(SAYS[route] in answer.text for answer in refused)
    for login in ({"headers": site.headers}, {"cookies": {"_token": site.token}}):
        answer = site.get(route, **login)
        assert (answer.status_code, SAYS[route] in answer.text) == (200, True)


def test_every_route_is_tried_here(site: Site) -> None:
    assert {*SAYS, VERSION} == set(site.routes)


def test_the_card_of_a_version_asks_for_the_login(site: Site) -> None:
    assert site.get(VERSION).status_code in {401, 403}
    assert site.get(VERSION, headers=site.headers).status_code in {200, 404}


def test_an_answer_given_with_airflows_login_is_kept_under_its_name(site: Site, platform) -> None:
    fields = [{"name": "failed", "kind": "boolean", "choices": ["true", "false"]}]
    content = {"entity": {"job": "j1"}, "decision_time": "2020-01-02T00:00:00.000000Z", "predictions": {}}
    about = {"content": {**content, "shown": {}, "fields": fields}, "about_at": "2020-01-02T00:00:00.000000Z"}
    asked = Item("of-browser", "toy", reviews.PREDICTION, "random", "failures", people=1, **about)
    reviews.add(platform.settings, [asked])
    page = site.get(REVIEW, headers=site.headers)
    form = {"_token_of_form": page.cookies["airloop_form"], "_item": asked.id, "_do": "save", "failed": "true"}
    url, cookies = f"{site.platform.airflow_url}{site.path(REVIEW)}", dict(page.cookies)
    assert httpx.post(url, data=form, cookies=cookies).status_code in {401, 403}
    assert httpx.post(url, data=form, headers=site.headers).status_code == 403
    assert httpx.post(url, data=form, cookies=cookies, headers=site.headers).status_code == 303
    (said,) = reviews.answers(platform.settings, [asked.id])[asked.id]
    assert (said.person, said.answer) == (site.platform.username, {"failed": True})
    assert reviews.item(platform.settings, "toy", asked.id).answer == '{"failed": true}'


def test_airflows_menu_and_tabs_lead_to_the_pages_and_to_mlflow(site: Site) -> None:
    answer = httpx.get(f"{site.platform.airflow_url}/api/v2/plugins?limit=100", headers=site.headers).json()
    plugin = next(found for found in answer["plugins"] if found["name"] == "airloop_pages")
    led = {(view["name"], view["destination"]): view["href"] for view in plugin["external_views"]}
    assert led == {
        ("Pipelines", "nav"): "airloop/",
        ("Features", "nav"): "airloop/features",
        ("MLflow", "nav"): site.platform.mlflow_url,
        ("Loop", "dag"): "airloop/dags/{DAG_ID}",
        ("Ledger", "dag"): "airloop/dags/{DAG_ID}?page=ledger",
        ("Reports", "dag_run"): "airloop/dags/{DAG_ID}/runs/{RUN_ID}",
    }


def test_mlflow_opens_with_its_own_login_alone(site: Site) -> None:
    url = site.platform.mlflow_url
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, auth=(site.platform.username, site.platform.password)).status_code == 401
    assert httpx.get(url, auth=(site.platform.username, site.platform.mlflow_password)).status_code == 200


@in_a_browser
@pytest.mark.parametrize("route", SAYS)
def test_a_browser_shows_the_page_dark_in_the_dark_and_asks_no_other_host(
    site: Site, chromium: Browser, route: str
) -> None:
    look = chromium.look(site.path(route), dark=True)
    assert SAYS[route] in re.sub(r"<(style|script)\b.*?</\1>", "", look.dom, flags=re.DOTALL)
    assert chromium.strangers == []
    if not route.startswith("/reports"):  # a report's own colours: it is shown within a page of ours, see below
        assert look.brightness < 0.2
        assert chromium.look(site.path(route)).brightness > 0.9


@in_a_browser
def test_a_request_to_another_host_would_be_seen(chromium: Browser) -> None:
    chromium.look("https://elsewhere.invalid/", chosen="light")
    assert "https://elsewhere.invalid/" in chromium.strangers


@in_a_browser
@pytest.mark.parametrize("report", ["raw", "features", "profile", "drift"])
def test_a_page_and_the_report_in_it_follow_the_system_and_airflows_theme_before_it(
    site: Site, chromium: Browser, report: str
) -> None:
    path = f"{site.path('/pipelines/{pipeline}/windows/{start}/{end}')}?report={report}"
    assert chromium.look(path, dark=True).brightness < 0.2
    assert chromium.look(path, chosen="dark").brightness < 0.2
    assert chromium.look(path, dark=True, chosen="light").brightness > 0.9
