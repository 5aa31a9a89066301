"""`module:attribute` is imported where it is used; a module that imports what has moved is told where to."""

import pytest

from airloop.config.attribute import resolve
from airloop.errors import ConfigError


def test_what_is_there_is_found() -> None:
    assert resolve("json:dumps")({}) == "{}"


@pytest.mark.parametrize("path", ["nosuch:Replay", "json:nosuch"])
def test_what_is_not_there_is_refused_with_its_name(path: str) -> None:
    with pytest.raises(ConfigError, match=f"{path}: cannot be imported on this machine: .*nosuch"):
        resolve(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("class Shop of old: ...\n", "SyntaxError: invalid syntax (shop_broken.py, line 1)"),
        ("import json\n\njson.loads('{')\n", "line 1 column 2 (char 1) (decoder.py, line "),
        ("raise ValueError('two\\nlines')\n", "ValueError: two lines (shop_broken.py, line 1)"),
    ],
)
def test_a_module_that_fails_is_refused_in_one_line_with_its_place(tmp_path, monkeypatch, text, says) -> None:
    (tmp_path / "shop_broken.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"^shop_broken:Shop: cannot be imported on this machine: ") as refused:
        resolve("shop_broken:Shop")
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_an_authors_replay_of_an_older_airloop_is_told_where_the_class_has_gone(tmp_path, monkeypatch) -> None:
    (tmp_path / "shop_past.py").write_text("from airloop.replay import Replay\n\nclass Shop(Replay): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ConfigError, match=r"airloop\.replay is now airloop\.sources\.replay: change the import in shop"
    ):
        resolve("shop_past:Shop")
    (tmp_path / "shop_now.py").write_text("from airloop.sources.replay import Replay\n\nclass Shop(Replay): ...\n")
    assert resolve("shop_now:Shop").__name__ == "Shop"
