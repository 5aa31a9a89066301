"""The JSON schema knows every key of what is shipped, and says what the keys mean."""

from typing import Any

import pytest
import yaml
from tests.support import toy

from airloop.config import Pipeline, pipeline_names
from airloop.settings import load_settings

SHIPPED = pipeline_names(load_settings())


def _declaration() -> dict[str, Any]:
    return yaml.safe_load(toy.PIPELINE)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_json_schema_knows_every_key_of_a_shipped_declaration(name: str) -> None:
    settings = load_settings()
    data = yaml.safe_load((settings.pipelines_dir / name / "pipeline.yaml").read_text())
    schema = Pipeline.model_json_schema()
    assert _unknown_keys(data, schema, schema["$defs"]) == []


def test_the_check_of_the_schema_sees_an_unknown_key() -> None:
    data = _declaration()
    data["gate"]["compare"]["bogus"] = 1
    schema = Pipeline.model_json_schema()
    assert _unknown_keys(data, schema, schema["$defs"]) == ["bogus"]


def test_the_json_schema_says_what_the_keys_mean() -> None:
    feed = Pipeline.model_json_schema()["$defs"]["Feed"]["properties"]
    assert "assigns the row to a window" in feed["event_time"]["description"]


def _unknown_keys(data: Any, schema: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        return _unknown_keys(data, definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        return min((_unknown_keys(data, choice, definitions) for choice in schema["anyOf"]), key=len)
    if isinstance(data, list):
        return [key for item in data for key in _unknown_keys(item, schema.get("items", {}), definitions)]
    if not isinstance(data, dict):
        return []
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    data = {"on" if key is True else key: item for key, item in data.items()}  # YAML 1.1 reads a bare `on` as true
    unknown = [key for key in data if rest is False and key not in known]
    inner = rest if isinstance(rest, dict) else {}
    return unknown + [
        key for name, item in data.items() for key in _unknown_keys(item, known.get(name, inner), definitions)
    ]
