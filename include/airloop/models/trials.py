"""The trials of a search as they end, kept in its MLflow run: a search that was killed goes on where it was."""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from airloop.settings import Settings
from airloop.stores.mlflow import tracking

_FILE = "trials.json"

FoldScores = list[float]


def key_of(params: dict[str, Any]) -> str:
    """The parameters of a trial as text: a seeded search asks for the same ones again."""
    return json.dumps(params, sort_keys=True)


class KeptTrials(MutableMapping[str, FoldScores]):
    """Parameters of a trial -> its score on each fold; what is set is written at once, whole.

    A file that was half written counts as none: its trials are made again, and end in the same scores.
    """

    def __init__(self, settings: Settings, run_id: str) -> None:
        self._settings, self._run_id = settings, run_id
        try:
            stored = json.loads(tracking.read_artifact(settings, run_id, _FILE) or "{}")
        except ValueError:
            stored = {}
        self._scores: dict[str, FoldScores] = stored if isinstance(stored, dict) else {}

    def __getitem__(self, key: str) -> FoldScores:
        return self._scores[key]

    def __setitem__(self, key: str, scores: FoldScores) -> None:
        self._scores[key] = scores
        tracking.write_json(self._settings, self._run_id, _FILE, self._scores)

    def __delitem__(self, key: str) -> None:
        del self._scores[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)
