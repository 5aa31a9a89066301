"""What the second day's guide prints for a pipeline that `pipelines new` wrote is accepted where it says it goes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import tables
from tests.support.command import Airloop

from airloop.settings import Settings

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "guides" / "second_day.md").read_text(encoding="utf-8")
PART = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(yaml|sql|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PARTS = dict(PART.findall(GUIDE))
EXTRA = [
    {"customer_id": f"c{number % 40}", "items": f"{1 + number % 7}", "channel": ["web", "phone", "shop"][number % 3]}
    for number in range(600)
]


@pytest.fixture
def shop(toy_settings: Settings, airloop: Airloop) -> Settings:
    """The guide's pipeline, of a table with its columns."""
    plain = tables.without(tables.orders(), "country", "new_customer", "remark", "paid_at")
    rows = [{**row, **more} for row, more in zip(plain, EXTRA, strict=True)]
    path = tables.write(toy_settings.project_dir / "orders.csv", rows)
    done = airloop("pipelines", "new", "shop_returns", "--from", str(path), "--label", "returned")
    assert done.code == 0
    return toy_settings


def _put(settings: Settings, part: str) -> None:
    """Put what a part of the guide prints where it says it goes."""
    for language, text in BLOCK.findall(PARTS[part]):
        file = settings.pipelines_dir / "shop_returns" / "features.sql"
        if language == "python":
            file = settings.feature_repo_dir / "shop_returns.py"
            put = _last_line_becomes(file.read_text(), text)
        elif language == "yaml":
            name, key = re.findall(r"^# (\w+\.yaml), below (\w+)\n", text)[0]
            file = file.with_name(name)
            (line,) = re.findall(rf"^ *{key}:.*$", file.read_text(), re.MULTILINE)[:1]
            put = file.read_text().replace(line, f"{line}\n{text}", 1)
        else:
            put = _with_sections(file.read_text(), text)
        assert put != file.read_text()
        file.write_text(put)
    for name in re.findall(r'`(Field\(name="\w+", dtype=\w+\))`', PARTS[part]):
        file = settings.feature_repo_dir / "shop_returns.py"
        file.write_text(file.read_text().replace("    schema=[\n", f"    schema=[\n        {name},\n", 1))


def _last_line_becomes(text: str, block: str) -> str:
    *kept, last = text.rstrip().splitlines()
    assert last.startswith("shop_returns_v1 = ")
    return "\n".join([*kept, block])


def _with_sections(text: str, block: str) -> str:
    """The file with the block's sections, each in place of the one of its name."""
    for heading, section in _sections(block):
        there = dict(_sections(text)).get(heading)
        text = text.replace(there, section) if there else f"{text}\n{section}"
    return text


def _sections(text: str) -> Iterator[tuple[str, str]]:
    for section in re.finditer(r"^(-- (?:view: \w+|examples|labels))$.*?;\n", text, re.MULTILINE | re.DOTALL):
        yield section[1], section[0]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("Add a static table", "service shop_returns_v1 with 5 features"),
        ("Add a second dated feed", "service shop_returns_v1 with 5 features"),
        ("Add a rule", "20 expectations"),
        ("Add a candidate", "3 candidates"),
    ],
)
def test_what_a_part_prints_is_accepted(shop: Settings, airloop: Airloop, part: str, says: str) -> None:
    before = airloop("pipelines", "check", "shop_returns")
    assert says not in before.out
    _put(shop, part)
    done = airloop("pipelines", "check", "shop_returns")
    assert (done.code, done.err) == (0, "")
    assert says in done.out
    assert airloop("test", "shop_returns").code == 0


def test_a_feature_is_added_and_expected_as_it_is_printed(shop: Settings, airloop: Airloop) -> None:
    column = re.findall(r"`(amount / .* AS price_of_an_item)`", PARTS["Add a feature"])[0]
    file = shop.pipelines_dir / "shop_returns" / "features.sql"
    file.write_text(file.read_text().replace("SELECT order_id, ", f"SELECT order_id, {column}, ", 1))
    assert airloop("pipelines", "check", "shop_returns").code == 0
    _put(shop, "Add a feature")
    done = airloop("pipelines", "check", "shop_returns")
    assert (done.code, "with 5 features" in done.out) == (0, True)
    expected = file.with_name("tests") / "two_rows.yaml"
    given, expect = expected.read_text().split("expect:")
    expect = expect.replace("channel: web}\n", 'channel: web, price_of_an_item: "16.25"}\n')
    expected.write_text(f"{given}expect:{expect}")
    wrong = airloop("test", "shop_returns")
    assert wrong.code == 1
    assert "expected 16.25" in wrong.out + wrong.err


def test_a_key_of_the_guide_under_the_name_of_a_feature_is_refused(shop: Settings, airloop: Airloop) -> None:
    _put(shop, "Add a second dated feed")
    for file in (shop.pipelines_dir / "shop_returns" / "features.sql", shop.feature_repo_dir / "shop_returns.py"):
        text = file.read_text().replace("customer_id AS customer", "customer_id").replace('"customer"', '"customer_id"')
        file.write_text(text)
    refused = airloop("pipelines", "check", "shop_returns")
    assert refused.code == 1
    assert (
        "section examples: its column 'customer_id' has the name of a feature of view shop_returns_rows" in refused.err
    )
