"""`channel` of pipeline.yaml: an address that a browser opens, or nothing."""

import pytest
from pydantic import TypeAdapter, ValidationError

from airloop.config import load_pipeline
from airloop.config.channel import Channel
from airloop.settings import Settings

CHANNEL = TypeAdapter(Channel)


def test_no_pipeline_has_to_name_one():
    assert load_pipeline("flight_delays", Settings()).channel == ""


@pytest.mark.parametrize("address", ["", "https://chat.example.org/c/ops", "http://ops/", "mailto:ops@example.org"])
def test_addresses_are_taken_as_they_are(address):
    assert CHANNEL.validate_python(address) == address


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("ops@example.org", "did you mean 'mailto:ops@example.org'?"),
        ("#ops", "'#ops' is not an address that a browser opens (https://"),
        ("javascript:alert(1)", "is not an address"),
        ("https://a b", "is not an address"),
        ('https://a"onclick="x', "is not an address"),
        ("mailto:", "is not an address"),
    ],
)
def test_what_no_browser_opens_is_refused(written, says):
    with pytest.raises(ValidationError) as refused:
        CHANNEL.validate_python(written)
    assert says in str(refused.value)
