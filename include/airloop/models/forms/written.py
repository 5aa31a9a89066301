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

FORMAT = 1
_DESCRIPTION = "description"
# What numpy and zipfile raise for files that are none.
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, EOFError, zipfile.BadZipFile)
_TREES = ("roots", "feature", "threshold", "children", "missing_left", "values", "baseline")
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
        content |= {"encoder": described(fast.scorer.encoder), "link": fast.scorer.link}
        if isinstance(fast.scorer, Trees):
            content |= {"levels": fast.scorer.levels, "rounded": fast.scorer.rounded}
            arrays |= {name: getattr(fast.scorer, name) for name in _TREES}
        else:
            arrays |= {name: getattr(fast.scorer, name) for name in _LINEAR}
            arrays |= {f"adds_{at}": adds for at, adds in enumerate(fast.scorer.adds)}
    text = json.dumps(content, allow_nan=False).encode()
    buffer = io.BytesIO()
    arrays[_DESCRIPTION] = np.frombuffer(text, dtype=np.uint8)
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def read(content: bytes) -> Written:
    """The form of a file.

    Raises:
        GuardRefused: It is another kind of file, or of another format.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            description = json.loads(arrays[_DESCRIPTION].tobytes())
            if description["format"] != FORMAT:
                raise GuardRefused(f"the serving form has format {description['format']!r}, known is {FORMAT}")
            name, why, facts = description["form"], description["why"], description["facts"]
            if name == PIPELINE:
                return Written(None, why, facts)
            encoder = from_described(description["encoder"])
            scorer = _READERS[name](description, encoder, arrays)
            fast = Fast(scorer, description["kind"], tuple(description["numbers"]), description["classes"])
            return Written(Form(name, fast), why, facts)
    except _BROKEN as error:
        raise GuardRefused(f"the serving form cannot be read: {type(error).__name__}: {error}") from error


def _trees(description: Mapping[str, Any], encoder: OrdinalRows, arrays: _Arrays) -> Trees:
    return Trees(
        encoder=encoder,
        **{name: arrays[name] for name in _TREES},
        levels=description["levels"],
        rounded=description["rounded"],
        link=description["link"],
    )


def _linear(description: Mapping[str, Any], encoder: OrdinalRows, arrays: _Arrays) -> Linear:
    adds = tuple(arrays[f"adds_{at}"] for at in range(len(encoder.texts)))
    return Linear(encoder, adds, **{name: arrays[name] for name in _LINEAR}, link=description["link"])


_READERS: Mapping[str, Callable[[Mapping[str, Any], OrdinalRows, _Arrays], Any]] = {"trees": _trees, "linear": _linear}
