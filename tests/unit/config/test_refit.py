"""`training.refit`: off unless asked for, and its key `on`, which YAML reads as true, is a key like any other."""

import pytest
from tests.support import toy

from airloop.errors import ConfigError


def declared(tmp_path, settings, text):
    edited = toy.edited(settings, tmp_path / "edited", "pipeline.yaml", "leak_check_times: 2,", text)
    return toy.toy_pipeline(edited).training.refit


def test_what_passed_stays_as_it_was_judged_unless_a_refit_is_asked_for(toy_settings):
    assert toy.toy_pipeline(toy_settings).training.refit.on == "none"


@pytest.mark.parametrize("key", ["on", '"on"'])
def test_a_refit_is_asked_for_with_or_without_quotes(tmp_path, toy_settings, key):
    text = f"leak_check_times: 2, refit: {{{key}: all_mature, max_difference: 0.5}},"
    found = declared(tmp_path, toy_settings, text)
    assert (found.on, found.max_difference) == ("all_mature", 0.5)


@pytest.mark.parametrize(
    ("refit", "says"),
    [("{on: always}", "training.refit.on"), ("{of: all_mature}", "training.refit"), ("{max_difference: 0}", "greater")],
)
def test_another_value_or_key_is_refused_by_its_place(tmp_path, toy_settings, refit, says):
    with pytest.raises(ConfigError, match=says):
        declared(tmp_path, toy_settings, f"leak_check_times: 2, refit: {refit},")
