"""Requests of several rows that hold every feature, read straight into the features' own types.

They cost a third of what rows of any kind do. What cannot be read so (a feature is missing or of another kind, keys are
sent, a name is there twice) is read as every other request, and refused there where something is wrong.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from airloop.models.forms.columns import Placed
from airloop.models.forms.encoder import picked
from airloop.serving.inputs import Inputs, is_plain_text

_NAMED_WITHIN = 100
_KINDS: Mapping[str, Any] = {"number": float | None, "text": str | None}


class Whole(NamedTuple):
    """A request that was read.

    Attributes:
        as_of: The instant it is asked about, as it was sent; None where none was.
    """

    rows: Placed
    as_of: str | None


class WholeRows:
    """Reads the requests for one version."""

    def __init__(self, inputs: Inputs) -> None:
        """Of features that are single numbers and texts; others make every request one of any kind."""
        self._names = tuple(inputs.by_name)
        kinds = [feature.kind for feature in inputs.features]
        self._texts = picked([at for at, kind in enumerate(kinds) if kind == "text"])
        self._decoder = self._decoder_of(kinds) if inputs.plain and _KINDS.keys() >= set(kinds) else None

    def read(self, content: bytes) -> Whole | None:
        """The rows, in the order of the features; None for what is to be read as any request is."""
        if self._decoder is None or b'"rows"' not in content[:_NAMED_WITHIN]:
            return None
        try:
            body = self._decoder.decode(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        rows = [msgspec.structs.astuple(row.features) for row in body.rows]
        # Every name once makes so many colons; one that is there twice, and a colon in a text, makes more.
        colons = 1 + len(rows) * (1 + len(self._names))
        if body.as_of is not None:
            colons += 1 + body.as_of.count(":")
            if b"\\u" in content:  # an escaped colon is counted where it is read, and not where it stands
                return None
        texts = "".join(filter(None, chain.from_iterable(map(self._texts, rows))))
        if content.count(b":") != colons or not is_plain_text(texts):
            return None
        return Whole(Placed(self._names, rows), body.as_of)

    def _decoder_of(self, kinds: list[str]) -> Any:
        # A field's name has to be one of Python's, and a feature's need not.
        fields = [f"feature_{at}" for at in range(len(kinds))]
        typed = [(field, _KINDS[kind]) for field, kind in zip(fields, kinds, strict=True)]
        names = dict(zip(fields, self._names, strict=True))
        features = msgspec.defstruct("Features", typed, rename=names, forbid_unknown_fields=True, gc=False)
        row = msgspec.defstruct("WholeRow", [("features", features)], forbid_unknown_fields=True, gc=False)
        body: list[Any] = [("rows", list[row]), ("as_of", str | None, None)]  # type: ignore[valid-type]
        return msgspec.json.Decoder(msgspec.defstruct("WholeRequest", body, forbid_unknown_fields=True))
