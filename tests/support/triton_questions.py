"""Asks a service by Triton's own client and prints what it understood as JSON; run by a Python that has the client.

Arguments: host:port, a model, rows as JSON, one row of keys with the instant they are asked at.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException


def inputs(rows: list[dict], kinds: dict[str, str]) -> list:
    """One tensor of shape (rows, 1) a column."""
    tensors = []
    for name, kind in kinds.items():
        values = np.array([[row[name]] for row in rows], dtype=object if kind == "BYTES" else np.float64)
        tensors.append(triton.InferInput(name, list(values.shape), kind))
        tensors[-1].set_data_from_numpy(values, binary_data=False)
    return tensors


def main(place: str, model: str, rows: list[dict], keys: dict[str, str], as_of: str) -> dict:
    """All that the test wants to know."""
    with triton.InferenceServerClient(place) as client:
        metadata = client.get_model_metadata(model)
        kinds = {item["name"]: item["datatype"] for item in metadata["inputs"]}
        output = triton.InferRequestedOutput("prediction", binary_data=False)
        answer = client.infer(model, inputs(rows, kinds), outputs=[output], request_id="7")
        key_inputs = inputs([keys], dict.fromkeys(keys, "BYTES"))
        by_keys = client.infer(model, key_inputs, parameters={"as_of": as_of})
        try:
            client.infer(model, inputs([{"celsuis": 1.0}], {"celsuis": "FP64"}))
            refusal = ""
        except InferenceServerException as error:
            refusal = str(error)
        return {
            "live": client.is_server_live(),
            "ready": [client.is_server_ready(), client.is_model_ready(model), client.is_model_ready("nobody")],
            "server": client.get_server_metadata()["name"],
            "kinds": kinds,
            "id": answer.get_response()["id"],
            "predictions": answer.as_numpy("prediction").tolist(),
            "by_keys": by_keys.as_numpy("prediction").tolist(),
            "refusal": refusal,
        }


if __name__ == "__main__":
    given = json.loads(sys.argv[3])
    print(json.dumps(main(sys.argv[1], sys.argv[2], given, json.loads(sys.argv[4]), sys.argv[5])))  # noqa: T201
