"""The Open Inference Protocol by a client that others wrote: Triton's, in an environment of its own.

It wants an older greenlet than the platform's libraries, so it is no dependency of the tests. Installing it takes a
minute, so it is asked for: `make test PYTEST_ARGS="--foreign-clients tests/unit/serving/test_triton_client.py"`.
"""

import json
import subprocess
from urllib.parse import urlsplit

import pandas as pd
import pytest
from tests.conftest import REPOSITORY
from tests.support import foreign, toy
from tests.support.served_toy import CUTOFF, EXPLICIT, NOON, ask

from airloop.models import model_version


@pytest.fixture(scope="module")
def foreign_python(request, tmp_path_factory):
    return foreign.python_with("tritonclient[http]==2.73.0", tmp_path_factory.mktemp("triton"), request.config)


def test_tritons_client_finds_what_it_expects_and_its_predictions_are_the_models_own(
    foreign_python, client, served_home
):
    rows = [EXPLICIT, {**EXPLICIT, "job_size": 3.0, "machine_code": "never seen"}]
    keys = {"job": f"j{CUTOFF:03d}-031", "machine": "m1"}
    script = REPOSITORY / "tests/support/triton_questions.py"
    arguments = [urlsplit(client.url).netloc, "toy", json.dumps(rows), json.dumps(keys), NOON.isoformat()]
    done = subprocess.run([foreign_python, script, *arguments], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["live"], found["ready"], found["server"], found["id"]) == (True, [True, True, False], "airloop", "7")
    assert found["kinds"] == {"machine_code": "BYTES", "job_size": "FP64", "celsius": "FP64"}
    model = model_version.load_version(toy.toy_pipeline(served_home), 1, served_home)
    expected = model.model.predict_proba(pd.DataFrame(rows)[list(model.features)])[:, 1]
    assert found["predictions"] == pytest.approx(expected.tolist(), abs=1e-12)
    by_keys = ask(client, {"entity": keys, "as_of": NOON.isoformat()}).json()["predictions"][0]["prediction"]
    assert found["by_keys"] == [by_keys]
    assert "celsuis" in found["refusal"]
