"""A model is loaded by airloop's own list: what would run code of its files is refused before a byte of it has run."""

import io
import json
import pickle
import zipfile

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from airloop.errors import GuardRefused
from airloop.models import estimators
from airloop.stores.mlflow import model_files, model_types

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's advice on pickle and examples


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    return pd.DataFrame({"delay": random.normal(size=200), "seats": random.normal(size=200)})


@pytest.fixture(scope="module")
def sound(rows, tmp_path_factory):
    """The files of a model as airloop saves it."""
    folder = tmp_path_factory.mktemp("sound") / "model"
    model = LogisticRegression().fit(rows, rows["delay"] > 0)
    trusted = estimators.trusted_types(model)
    mlflow.sklearn.save_model(
        model, folder, serialization_format="skops", pip_requirements=["scikit-learn"], input_example=rows.head(3),
        skops_trusted_types=trusted,
    )  # fmt: skip
    return model_files.read(folder)


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


class Writes:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w').write('ran')",)


def described(files, flavor, **changes):
    """The files with another description of a flavor."""
    description = yaml.safe_load(files["MLmodel"])
    description["flavors"][flavor] = {**description["flavors"].get(flavor, {}), **changes}
    return {**files, "MLmodel": yaml.safe_dump(description).encode()}


def rebuilt(files, node):
    """The files with a skops file whose schema is this node."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("schema.json", json.dumps({**node, "protocol": 2, "_skops_version": "0.16"}))
    return {**files, "model.skops": archive.getvalue()}


def text(value):
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(value)}


def listed(kind, *items):
    name = {"TupleNode": "tuple", "ListNode": "list"}[kind]
    return {"__class__": name, "__module__": "builtins", "__loader__": kind, "content": list(items)}


def swapped_for_a_pickle(files, canary):
    attack = described(files, "sklearn", pickled_model="model.pkl", serialization_format="pickle")
    return {**attack, "model.pkl": pickle.dumps(Writes(canary))}


def a_pickle_under_the_right_name(files, canary):
    return {**files, "model.skops": pickle.dumps(Writes(canary))}


def another_loader(files, canary):
    return described(files, "python_function", loader_module="evil") | {
        "evil.py": f"open({str(canary)!r}, 'w')".encode()
    }


def another_loader_from_elsewhere(files, _canary):
    return described(files, "python_function", loader_module="os")


def code_beside_it(files, canary):
    files = described(files, "sklearn", code="code")
    return {**files, "code/sitecustomize.py": f"open({str(canary)!r}, 'w')".encode()}


def code_paths(files, _canary):
    return described(files, "python_function", code="code")


def a_custom_flavor(files, _canary):
    return described(files, "evil", loader_module="evil")


def its_own_trusted_types(files, canary):
    attack = rebuilt(
        files,
        {
            "__class__": "Popen",
            "__module__": "subprocess",
            "__loader__": "ConstructorFromReduceNode",
            "content": listed("TupleNode", listed("ListNode", text("touch"), text(str(canary)))),
        },
    )
    return described(attack, "sklearn", skops_trusted_types=["subprocess.Popen"])


def an_operator(files, canary):
    return rebuilt(
        files,
        {
            "__class__": "methodcaller",
            "__module__": "operator",
            "__loader__": "OperatorFuncNode",
            "attrs": listed("TupleNode", text(str(canary))),
        },
    )


def a_method(files, _canary):
    owner = {"__class__": "Tree", "__module__": "sklearn.tree._tree", "__loader__": "ObjectNode"}
    return rebuilt(
        files,
        {
            "__class__": "Tree",
            "__module__": "sklearn.tree._tree",
            "__loader__": "MethodNode",
            "content": {"func": "predict", "obj": owner},
        },
    )


def a_function_hidden_in_a_list(files, _canary):
    hidden = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
    return rebuilt(files, listed("ListNode", listed("TupleNode", hidden)))


def an_estimator_from_elsewhere(files, _canary):
    return rebuilt(files, {"__class__": "Evil", "__module__": "evil.sklearn", "__loader__": "ObjectNode"})


def more_than_its_bytes(files, _canary):
    archive = io.BytesIO(files["model.skops"])
    with zipfile.ZipFile(archive, "a", compression=zipfile.ZIP_DEFLATED) as target:
        target.writestr("zeros.npy", bytes(20 << 20))
    return {**files, "model.skops": archive.getvalue()}


ATTACKS = {
    more_than_its_bytes: "unpack to 2",
    swapped_for_a_pickle: "its folder holds model.pkl, which airloop does not save",
    a_pickle_under_the_right_name: "model.skops does not load: it is not a skops file",
    another_loader: "its folder holds evil.py",
    another_loader_from_elsewhere: "MLmodel says python_function.loader_module: 'os'; only 'mlflow.sklearn' is loaded",
    code_beside_it: "its folder holds code/sitecustomize.py",
    code_paths: "MLmodel says python_function.code: 'code'; a model brings no code of its own",
    a_custom_flavor: "MLmodel has flavors ['evil', 'python_function', 'sklearn']",
    its_own_trusted_types: "model.skops holds subprocess.Popen, not on the allow-list",
    an_operator: "model.skops holds operator.methodcaller",
    a_method: "model.skops holds sklearn.tree._tree.Tree, not on the allow-list",
    a_function_hidden_in_a_list: "model.skops holds os.system",
    an_estimator_from_elsewhere: "model.skops holds evil.sklearn.Evil",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_files_that_would_run_code_are_refused_and_nothing_runs(sound, canary, attack):
    with pytest.raises(GuardRefused) as refused:
        model_files.load(attack(sound, canary))
    assert ATTACKS[attack] in str(refused.value)
    assert not canary.exists()


def test_what_airloop_saves_loads_and_its_example_is_read(sound, rows):
    model, example = model_files.load(sound), model_files.input_example(sound)
    pd.testing.assert_frame_equal(example, rows.head(3))
    assert model.predict_proba(example).shape == (3, 2)


def test_what_the_description_allows_beyond_the_list_is_nothing_and_below_it_too(sound):
    assert model_files.load(described(sound, "sklearn", skops_trusted_types=[])).classes_.tolist() == [False, True]


@pytest.mark.parametrize("missing", ["model.skops", "MLmodel"])
def test_a_folder_without_its_model_or_description_is_refused(sound, missing):
    with pytest.raises(GuardRefused, match=f"its folder has no {missing}"):
        model_files.load({name: content for name, content in sound.items() if name != missing})


@pytest.mark.parametrize("estimator", [HistGradientBoostingClassifier(max_iter=2), RandomForestClassifier(2)])
def test_models_of_trees_are_on_the_list(rows, estimator):
    from skops.io import dumps

    assert model_types.strange_types(dumps(estimator.fit(rows, rows["delay"] > 0))) == ()


def test_the_digest_changes_with_any_byte_or_name_and_not_with_mlflows_note_on_the_copy(sound, tmp_path):
    digest = model_files.digest(sound)
    assert model_files.digest({**sound, "MLmodel": sound["MLmodel"] + b" "}) != digest
    assert model_files.digest({**sound, "extra": b""}) != digest
    model_files.write({**sound, "registered_model_meta": b"model_name: toy"}, tmp_path)
    assert model_files.digest(model_files.read(tmp_path)) == digest
