"""The features of a version, with what the catalogue knows of them."""

from collections.abc import Iterator, Mapping
from typing import Any


def listed_features(snapshot: Mapping[str, Any], catalogue: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the order the model takes them; what nobody wrote down of one is empty."""
    known = {name: feature for view in catalogue.get("views", ()) for name, feature in _of_view(view)}
    return [{"name": name, **known.get(_column(name, known), _NOTHING)} for name in snapshot.get("features", ())]


_NOTHING = {"view": "", "owner": "", "type": "", "description": ""}


def _of_view(view: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in view.get("features", ()):
        described = {"type": field.get("type", ""), "description": field.get("description", "")}
        yield field["name"], {"view": view.get("name", ""), "owner": view.get("owner", ""), **described}


def _column(name: str, known: Mapping[str, Any]) -> str:
    """The array that an element like `embedding_17` belongs to, else the name itself."""
    array = name.rpartition("_")[0]
    return array if name not in known and array in known else name
