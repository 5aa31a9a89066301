import logging
import subprocess
import sys

import pytest
import typeguard

from airloop.feast_stores import feast_boot


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_importing_the_boot_imports_no_feast():
    assert run("import sys; from airloop.feast_stores import feast_boot; print('feast' in sys.modules)") == ["False"]


def test_the_decorator_leaves_functions_and_classes_as_they_are_bare_or_with_options():
    code = """
import typeguard
from airloop.feast_stores.feast_boot import neutralise_typeguard
neutralise_typeguard(); neutralise_typeguard()
def half(number: int) -> int: return number
print(typeguard.typechecked(half) is half, typeguard.typechecked(forward_refs_policy=None)(half) is half)
"""
    assert run(code) == ["True", "True"]


def test_nothing_changes_once_feast_is_imported(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "feast", object())
    before = typeguard.typechecked
    with caplog.at_level(logging.DEBUG, logger="airloop.feast_stores.feast_boot"):
        feast_boot.neutralise_typeguard()
    assert typeguard.typechecked is before
    assert "already imported" in caplog.text


@pytest.mark.integration
@pytest.mark.parametrize(
    "first",
    [
        "features.arrays",
        "features.build_features",
        "features.feature_store",
        "features.materialize",
        "models.snapshot",
    ],
)
def test_whatever_is_imported_first_feast_comes_with_the_decorator_that_does_nothing(first):
    code = f"""
import importlib, sys
importlib.import_module("airloop.{first}")
print(sys.modules["feast"].feature_view.typechecked.__module__)
"""
    assert run(code) == ["airloop.feast_stores.feast_boot"]
