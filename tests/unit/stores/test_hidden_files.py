"""Files are hidden until all are complete; what is not published is gone, what is abandoned is cleaned up."""

import time
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest

from airloop.stores import hidden_files
from airloop.stores.hidden_files import HiddenFiles


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{tmp_path}/landing" if request.param == "local" else f"memory://{tmp_path}/landing"


def names(folder: str) -> list[str]:
    system, path = fsspec.core.url_to_fs(folder)
    return sorted(found.rsplit("/", 1)[-1] for found in system.ls(path, detail=False)) if system.exists(path) else []


def write(drafts: HiddenFiles, name: str, text: str = "x") -> None:
    with drafts.open(name) as stream:
        stream.write(text)


def read(folder: str, name: str) -> str:
    with fsspec.open(f"{folder}/{name}", "rt", newline="") as stream:
        return str(stream.read())


def test_nothing_is_listed_before_all_is_published(folder: str) -> None:
    with HiddenFiles(folder, {}) as drafts:
        for name in ("a.csv", "b.csv"):
            write(drafts, name, f"{name}\r\n")
        assert [name for name in names(folder) if not name.startswith(".")] == []
        assert [uri.rsplit("/", 1)[-1] for uri in drafts.publish(replace=False)] == ["a.csv", "b.csv"]
    assert names(folder) == ["a.csv", "b.csv"]
    assert read(folder, "a.csv") == "a.csv\r\n"


@pytest.mark.parametrize(("replace", "text"), [(True, "new"), (False, "old")])
def test_a_file_of_the_same_name_goes_only_when_asked_for(folder: str, replace: bool, text: str) -> None:
    for content in ("old", "new"):
        with HiddenFiles(folder, {}) as drafts:
            write(drafts, "a.csv", content)
            published = drafts.publish(replace=replace)
    assert len(published) == int(replace)
    assert (names(folder), read(folder, "a.csv")) == (["a.csv"], text)


def test_an_error_leaves_nothing(folder: str) -> None:
    with suppress(KeyError), HiddenFiles(folder, {}) as drafts:
        write(drafts, "a.csv")
        raise KeyError
    assert names(folder) == []


def test_two_at_once_do_not_meet(folder: str) -> None:
    with HiddenFiles(folder, {}) as first, HiddenFiles(folder, {}) as second:
        write(first, "a.csv", "1")
        write(second, "a.csv", "2")
        first.publish(replace=False)
        second.publish(replace=False)
    assert (names(folder), read(folder, "a.csv")) == (["a.csv"], "1")


def test_what_a_killed_process_left_is_removed_a_day_later(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = HiddenFiles(folder, {})
    killed.__enter__()
    write(killed, "a.csv")
    with HiddenFiles(folder, {}):
        assert len(names(folder)) == 1
    later = time.time() + 86_401
    monkeypatch.setattr(hidden_files.time, "time", lambda: later)
    with HiddenFiles(folder, {}):
        assert names(folder) == []


def test_a_name_is_opened_once(folder: str) -> None:
    with HiddenFiles(folder, {}) as drafts:
        write(drafts, "a.csv")
        with pytest.raises(ValueError, match=r"a\.csv"):
            drafts.open("a.csv")
