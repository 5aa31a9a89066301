"""A document that another process left is used only of this very text, and whatever else lies there is replaced."""

import json
import stat
from concurrent.futures import ProcessPoolExecutor

import pytest
import yaml

from airloop.config import document_cache, load_declared, yaml_document
from airloop.errors import ConfigError

TEXT = """\
name: a
refit: {on: all_mature}
start: 2013-01-01T00:00:00Z
day: 2013-01-01
classes: [1, 0.5, x, null]
"""


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "declarations" / "a.json"


@pytest.fixture
def parsed(monkeypatch):
    """The texts that were parsed as YAML."""
    texts = []
    whole = yaml_document.read
    monkeypatch.setattr(yaml_document, "read", lambda text: texts.append(text) or whole(text))
    return texts


def test_a_text_is_parsed_once_and_read_with_the_same_types(cache, parsed):
    first, again = (document_cache.read(TEXT, cache) for _ in range(2))
    assert repr(first) == repr(again) == repr(yaml.safe_load(TEXT))
    assert parsed == [TEXT]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_another_text_is_parsed_and_takes_its_place(cache, parsed):
    document_cache.read(TEXT, cache)
    assert document_cache.read("name: b\n", cache) == {"name": "b"}
    assert document_cache.read("name: b\n", cache) == {"name": "b"}
    assert parsed == [TEXT, "name: b\n"]


@pytest.mark.parametrize("damage", [b"", b"\xff\x00", b"[]", b"{}", b'"x"', None])
def test_a_file_that_is_gone_or_damaged_is_made_again(cache, parsed, damage):
    document = document_cache.read(TEXT, cache)
    whole = cache.read_bytes()
    cache.unlink() if damage is None else cache.write_bytes(damage)
    assert document_cache.read(TEXT, cache) == document
    assert cache.read_bytes() == whole
    assert parsed == [TEXT, TEXT]


def test_a_file_that_was_half_written_is_made_again(cache):
    document = document_cache.read(TEXT, cache)
    whole = cache.read_bytes()
    for length in range(0, len(whole), 7):
        cache.write_bytes(whole[:length])
        assert document_cache.read(TEXT, cache) == document
        assert cache.read_bytes() == whole


def test_other_code_reads_the_text_anew(cache, parsed, monkeypatch):
    document_cache.read(TEXT, cache)
    monkeypatch.setattr(document_cache, "_code", lambda: "the next version")
    document_cache.read(TEXT, cache)
    assert parsed == [TEXT, TEXT]


@pytest.mark.parametrize("text", ['a: {"!date": 2013-01-01}', 'a: {"!mapping": []}', "a: .nan", "a: !!binary aGk=", ""])
def test_what_would_be_read_otherwise_is_not_kept(cache, text):
    assert (
        repr(document_cache.read(text, cache)) == repr(document_cache.read(text, cache)) == repr(yaml.safe_load(text))
    )
    assert not cache.exists() or json.loads(cache.read_text())["document"] is None


def test_where_nothing_can_be_written_the_text_is_parsed(tmp_path):
    (tmp_path / "file").write_text("")
    assert document_cache.read(TEXT, tmp_path / "file" / "a.json")["name"] == "a"


def test_processes_that_read_at_once_all_read_the_same(cache):
    with ProcessPoolExecutor(4) as pool:
        read = list(pool.map(document_cache.read, [TEXT] * 40, [cache] * 40))
    assert read == [yaml.safe_load(TEXT)] * 40
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_a_declaration_that_turns_wrong_is_refused_at_once(toy_settings):
    path = toy_settings.pipelines_dir / "toy" / "pipeline.yaml"
    text = path.read_text()
    assert load_declared("toy", toy_settings, keep=True).name == "toy"
    path.write_text(text.replace("calendar:", "calender:"))
    with pytest.raises(ConfigError, match="calender: unknown key"):
        load_declared("toy", toy_settings, keep=True)
    path.write_text(text)
    assert load_declared("toy", toy_settings, keep=True).name == "toy"
