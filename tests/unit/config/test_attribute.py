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


def test_an_authors_replay_of_an_older_airloop_is_told_where_the_class_has_gone(tmp_path, monkeypatch) -> None:
    (tmp_path / "shop_past.py").write_text("from airloop.replay import Replay\n\nclass Shop(Replay): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ConfigError, match=r"airloop\.replay is now airloop\.sources\.replay: change the import in shop"
    ):
        resolve("shop_past:Shop")
    (tmp_path / "shop_now.py").write_text("from airloop.sources.replay import Replay\n\nclass Shop(Replay): ...\n")
    assert resolve("shop_now:Shop").__name__ == "Shop"
