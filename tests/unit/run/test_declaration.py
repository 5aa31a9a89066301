"""What a stage's result depends on is in its key, and nothing else of the declaration is."""

import pytest
from tests.support import toy

from airloop.run.input_key import declaration_digest
from airloop.settings import Settings


def _digest_with(settings: Settings, text: str) -> str:
    declared = settings.pipelines_dir / "toy" / "pipeline.yaml"
    before = declared.read_text()
    declared.write_text(before + text)
    try:
        return declaration_digest(toy.toy_pipeline(settings), settings)
    finally:
        declared.write_text(before)


@pytest.mark.parametrize("text", ["retention: {reports_days: 10}\n", "alerts: [{to: log}]\n"])
def test_who_is_told_and_what_is_kept_trains_nothing_again(toy_settings: Settings, text: str) -> None:
    assert _digest_with(toy_settings, text) == _digest_with(toy_settings, "")


def test_another_section_is_part_of_the_key(toy_settings: Settings) -> None:
    assert _digest_with(toy_settings, "serving: {enabled: false}\n") != _digest_with(toy_settings, "")
