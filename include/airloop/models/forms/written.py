"""A form as a file: numbers as arrays, everything else as JSON; nothing in it is code, and reading runs none.

The file is an npz without pickles. It lies beside the model it was made of, so the model's digest covers it.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from airloop.errors import GuardRefused
from airloop.models.forms.choose import PIPELINE, Fast, Form
from airloop.models.forms.encoder import OrdinalRows, described, from_described
from airloop.models.forms.linear import Linear
from airloop.models.forms.trees import Trees
from airloop.models.forms.vote import Together

FORMAT = 2
_OF_ONE_FIT = 1
"""The format before several fits shared an encoder: its trees are of one fit."""
_DESCRIPTION = "description"
# What numpy and zipfile raise for files that are none.
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, EOFError, zipfile.BadZipFile)
_TREES = ("roots", "feature", "threshold", "children", "missing_left", "values")
_TOGETHER = "vote"
_LINEAR = ("medians", "weights", "intercept")
_Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """A file that was read.

    Attributes:
        form: None where the version is served by its pipeline.
        why: Then why.
        facts: What else was kept with it.
    """

    form: Form | None
    why: str
    facts: Mapping[str, Any]


def written(form: Form, facts: Mapping[str, Any]) -> bytes:
    """The content of the file; the same form and facts give the same bytes."""
    content: dict[str, Any] = {"format": FORMAT, "form": form.name, "why": form.why, "facts": facts}
    arrays: dict[str, Any] = {}
    if isinstance(form.predict, Fast):
        fast = form.predict
        content |= {"kind": fast.kind, "numbers": list(fast.numbers), "classes": fast.classes}
        described_scorer, arrays = _taken_apart(fast.scorer)
        content |= described_scorer
    text = json.dumps(content, allow_nan=False).encode()
    buffer = io.BytesIO()
    arrays[_DESCRIPTION] = np.frombuffer(text, dtype=np.uint8)
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _taken_apart(scorer: Trees | Linear | Together) -> tuple[dict[str, Any], dict[str, Any]]:
    """What JSON holds of a form, and its arrays; of several together each array with the place of its part."""
    if isinstance(scorer, Together):
        parts = [_taken_apart(part) for part in scorer.parts]
        placed = {f"{at}.{name}": array for at, (_, own) in enumerate(parts) for name, array in own.items()}
        return {"form": _TOGETHER, "parts": [described_part for described_part, _ in parts]}, placed
    content: dict[str, Any] = {"encoder": described(scorer.encoder), "link": scorer.link}
    if isinstance(scorer, Trees):
        content |= {"form": "trees", "levels": scorer.levels, "rounded": scorer.rounded}
        return content, {name: getattr(scorer, name) for name in (*_TREES, "baseline", "fits")}
    content |= {"form": "linear"}
    adds = {f"adds_{at}": adds for at, adds in enumerate(scorer.adds)}
    return content, {name: getattr(scorer, name) for name in _LINEAR} | adds


def read(content: bytes) -> Written:
    """The form of a file.

    Raises:
        GuardRefused: It is another kind of file, or of another format.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            description = json.loads(arrays[_DESCRIPTION].tobytes())
            if description["format"] not in (_OF_ONE_FIT, FORMAT):
                raise GuardRefused(f"the serving form has format {description['format']!r}, known is {FORMAT}")
            name, why, facts = description["form"], description["why"], description["facts"]
            if name == PIPELINE:
                return Written(None, why, facts)
            scorer = _part(name, description, arrays)
            fast = Fast(scorer, description["kind"], tuple(description["numbers"]), description["classes"])
            return Written(Form(name, fast), why, facts)
    except _BROKEN as error:
        raise GuardRefused(f"the serving form cannot be read: {type(error).__name__}: {error}") from error


def _together(description: Mapping[str, Any], arrays: _Arrays) -> Together:
    def of_part(at: int) -> _Arrays:
        return {name.partition(".")[2]: arrays[name] for name in arrays if name.startswith(f"{at}.")}

    parts = enumerate(description["parts"])
    return Together(tuple(_part(part["form"], part, of_part(at)) for at, part in parts))


def _part(name: str, description: Mapping[str, Any], arrays: _Arrays) -> Trees | Linear | Together:
    if name == _TOGETHER:
        return _together(description, arrays)
    part: Trees | Linear = _READERS[name](description, from_described(description["encoder"]), arrays)
    return part


def _trees(description: Mapping[str, Any], encoder: OrdinalRows, arrays: _Arrays) -> Trees:
    return Trees(
        encoder=encoder,
        **{name: arrays[name] for name in _TREES},
        baseline=np.atleast_2d(arrays["baseline"]),
        fits=arrays["fits"] if "fits" in arrays else np.zeros(1, dtype=np.intp),
        levels=description["levels"],
        rounded=description["rounded"],
        link=description["link"],
    )


def _linear(description: Mapping[str, Any], encoder: OrdinalRows, arrays: _Arrays) -> Linear:
    adds = tuple(arrays[f"adds_{at}"] for at in range(len(encoder.texts)))
    return Linear(encoder, adds, **{name: arrays[name] for name in _LINEAR}, link=description["link"])


_READERS: Mapping[str, Callable[[Mapping[str, Any], OrdinalRows, _Arrays], Any]] = {"trees": _trees, "linear": _linear}
