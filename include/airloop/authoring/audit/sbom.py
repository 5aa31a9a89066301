"""The software bill of materials of this environment, as CycloneDX 1.6 (ECMA-424) says it, and the model in it."""

import re
import uuid
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

SPEC = "1.6"
_LICENSE_CHARACTERS = 80
_OSI = "License :: OSI Approved :: "
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def bill(model: Mapping[str, Any]) -> dict[str, Any]:
    """The bill of a model version and of every installed distribution; the same environment gives the same bytes.

    Args:
        model: `name`, `version`, `digest` (SHA-256 over the model's files, or empty) and `purpose`.
    """
    installed = {_canonical(item.name): item for item in metadata.distributions() if item.name}
    names = sorted(installed)
    components = [_component(name, installed[name]) for name in names]
    root = f"model:{model['name']}@{model['version']}"
    dependencies = [{"ref": root, "dependsOn": [_reference(name, installed[name]) for name in names]}]
    dependencies += [
        {
            "ref": _reference(name, installed[name]),
            "dependsOn": sorted(
                {_reference(needed, installed[needed]) for needed in _needs(installed[name], installed)}
            ),
        }
        for name in names
    ]
    content = {
        "metadata": {"component": _model(root, model)},
        "components": components,
        "dependencies": dependencies,
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, repr(content))
    head = {"bomFormat": "CycloneDX", "specVersion": SPEC, "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return head | content


def _model(root: str, model: Mapping[str, Any]) -> dict[str, Any]:
    digest = str(model.get("digest") or "")
    return {
        "type": "machine-learning-model",
        "bom-ref": root,
        "name": str(model["name"]),
        "version": str(model["version"]),
        "description": str(model.get("purpose", "")),
        **({"hashes": [{"alg": "SHA-256", "content": digest}]} if len(digest) == 64 else {}),
    }


def _component(name: str, distribution: metadata.Distribution) -> dict[str, Any]:
    reference = _reference(name, distribution)
    licenses = list(_licenses(distribution))
    return {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": distribution.version,
        "purl": reference,
        **({"licenses": licenses} if licenses else {}),
    }


def _reference(name: str, distribution: metadata.Distribution) -> str:
    return f"pkg:pypi/{name}@{distribution.version.replace('+', '%2B')}"


def _licenses(distribution: metadata.Distribution) -> Iterator[dict[str, Any]]:
    """One SPDX expression where the distribution gives one, else the names it gives."""
    fields = distribution.metadata
    if "License-Expression" in fields:
        yield {"expression": fields["License-Expression"]}
        return
    classified = [item for item in fields.get_all("Classifier") or () if item.startswith(_OSI)]
    named = [item.removeprefix(_OSI) for item in classified]
    free = str((fields.get_all("License") or [""])[0]).strip().splitlines()
    if not named and free and len(free[0]) <= _LICENSE_CHARACTERS:
        named = [free[0]]
    for name in named:
        yield {"license": {"name": name}}


def _needs(distribution: metadata.Distribution, installed: Mapping[str, Any]) -> Iterator[str]:
    """The installed distributions that one requires, but for its extras."""
    for text in distribution.requires or ():
        requirement, _, marker = text.partition(";")
        name = _NAME.match(requirement)
        if name and "extra" not in marker and _canonical(name.group()) in installed:
            yield _canonical(name.group())


def _canonical(name: str) -> str:
    """One spelling (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
