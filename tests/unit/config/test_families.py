"""A variant is found by its file, or as `module:Class`; adding one edits no other file."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airloop.config import METRIC, families
from airloop.config.families import Family
from airloop.config.source import SOURCE
from airloop.errors import ConfigError

FAMILY = Family("greeting", "greetings_of_a_test.greeting:Greeting")


def forget() -> None:
    families._names.cache_clear()
    for name in [name for name in sys.modules if "_of_a_test" in name]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "greetings_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "greeting.py").write_text(
        "from abc import ABC, abstractmethod\n"
        "class Greeting(ABC):\n    @abstractmethod\n    def say(self): ...\n"
        "class Loud(Greeting):\n    '''A form in between.'''\n"
    )
    (folder / "hello.py").write_text(
        "from greetings_of_a_test.greeting import Greeting, Loud\n"
        "class Hello(Loud):\n    '''Says hello.\n\n    And more.'''\n    def say(self): return 'hello'\n"
    )
    (folder / "_parts.py").write_text("raise AssertionError('no variant')\n")
    (tmp_path / "ours_of_a_test.py").write_text(
        "from greetings_of_a_test.greeting import Greeting\n"
        "class Ours(Greeting):\n    def say(self): return 'ours'\n"
        "class Half(Greeting): ...\n"
        "class Other: ...\n"
        "def function(): ...\n"
    )
    (tmp_path / "broken_of_a_test.py").write_text("import a_library_nobody_has\n")
    (tmp_path / "unreadable_of_a_test.py").write_text("\nclass Ours of another kind\n")
    (tmp_path / "failing_of_a_test.py").write_text("\n\nclass Ours(nobody): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield folder
    forget()


def test_a_variant_is_named_by_its_file_and_a_new_file_is_a_new_variant(package: Path) -> None:
    assert FAMILY.names() == ("hello",)
    assert FAMILY.load("hello")().say() == "hello"
    (package / "goodbye.py").write_text((package / "hello.py").read_text().replace("ello", "oodbye"))
    families._names.cache_clear()
    assert FAMILY.names() == ("goodbye", "hello")
    assert FAMILY.load("goodbye")().say() == "hoodbye"


def test_listing_names_imports_no_variant(package: Path) -> None:
    (package / "broken.py").write_text("raise AssertionError('imported')\n")
    families._names.cache_clear()
    assert FAMILY.names() == ("broken", "hello")


def test_a_projects_own_is_named_by_module_and_class() -> None:
    assert FAMILY.refuse_unknown("ours_of_a_test:Ours") == "ours_of_a_test:Ours"
    assert FAMILY.load("ours_of_a_test:Ours")().say() == "ours"


def test_the_help_is_the_docstrings_first_line() -> None:
    assert FAMILY.first_line("hello") == "Says hello."


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("helo", "there is no greeting 'helo'; did you mean 'hello'"),
        ("greeting", "there is no greeting 'greeting'"),
        ("_parts", "there is no greeting '_parts'"),
        ("", "valid: hello, or module:Class of your own"),
        ("ours_of_a_test:", "write module:Class"),
        (":Ours", "write module:Class"),
        ("a b:C", "write module:Class"),
        ("nosuch_of_a_test:Ours", "cannot be imported: No module named 'nosuch_of_a_test'; modules of the project lie"),
        ("broken_of_a_test:Ours", "No module named 'a_library_nobody_has'"),
        ("unreadable_of_a_test:Ours", "SyntaxError: invalid syntax (unreadable_of_a_test.py, line 2); modules"),
        ("failing_of_a_test:Ours", "NameError: name 'nobody' is not defined (failing_of_a_test.py, line 3); modules"),
        ("ours_of_a_test:Nosuch", "has no attribute 'Nosuch'"),
        ("ours_of_a_test:Other", "is not a subclass of greetings_of_a_test.greeting:Greeting"),
        ("ours_of_a_test:function", "is not a subclass of"),
        ("ours_of_a_test:Half", "the class leaves out say"),
    ],
)
def test_what_is_no_variant_is_refused_by_name(name: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        FAMILY.load(name)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("family", [METRIC, SOURCE], ids=lambda family: family.kind)
def test_every_variant_of_airloops_own_loads_and_says_what_it_is(family: Family) -> None:
    assert family.names()
    for name in family.names():
        assert len(family.first_line(name)) > 20
