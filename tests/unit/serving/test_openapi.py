"""Whatever the OpenAPI document allows, and what it does not, is answered as it says and never with a server error."""

import os
import subprocess
import sys

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

PATHS = ("/v1/pipelines/toy/predict", "/v1/pipelines/toy/invocations", "/v2/models/toy/infer", "/v1/feedback")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", PATHS)
def test_generated_requests_are_answered_as_the_document_says(client, path, mode):
    document = schemathesis.openapi.from_url(f"{client.url}/openapi.json")
    answered = set()

    @hypothesis.given(document[path]["POST"].as_strategy(mode))
    @hypothesis.settings(max_examples=60, suppress_health_check=list(hypothesis.HealthCheck))
    def ask(case):
        response = case.call(base_url=client.url)
        case.validate_response(response, checks=CHECKS)
        answered.add(response.status_code)

    ask()
    assert answered <= {200, 400, 404, 408, 409, 413, 415, 422}


def test_a_service_without_a_champion_loads_no_heavy_library():
    heavy = (
        "mlflow",
        "sklearn",
        "feast",
        "pandas",
        "deltalake",
        "duckdb",
        "great_expectations",
        "evidently",
        "airflow",
    )
    code = f"import sys, airloop.serving.api.run; print(sorted(set({heavy!r}) & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert found.stdout.strip() == "[]"
