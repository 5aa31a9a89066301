"""The challenger beside the champion: it predicts the same rows, answers a share of them, or none, and can do no harm.

Who is challenger says the ledger (`History.waiting`): a version that passed its gate and waits, for a person's approval
or for more evidence. Promoted, it is the champion; rejected, superseded or overtaken, it is gone with the next look.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from airloop.errors import AirloopError, UpstreamUnavailable
from airloop.serving.logged import Other
from airloop.stores.ledger import Entry, History

if TYPE_CHECKING:  # importing it costs seconds, and a service without a champion does without
    from airloop.config.serving import Serving
    from airloop.serving.served import Served

logger = logging.getLogger(__name__)

CANARY = "canary"


class Said(NamedTuple):
    """What one version says of a row."""

    version: int
    decision: int
    form: str
    prediction: Any
    threshold: float | None = None


@dataclass(frozen=True)
class Beside:
    """A challenger.

    Attributes:
        served: None where it does not serve.
        version: Its number, whether it serves or not.
        problem: Why it does not; empty when it does.
        shadows: Whether it predicts the rows that the champion answers.
        share: Of the entities it answers, in [0, 1).
        by: The key by which an entity stays with its version.
    """

    served: "Served | None"
    version: int
    problem: str
    shadows: bool
    share: float
    by: str

    def answers(
        self, own: Sequence[Said], features: Sequence[Mapping[str, Any]], entities: Sequence[Mapping[str, Any]]
    ) -> "Answers":
        """Of each row: who answers, its role, and what the other one says where it was asked.

        Args:
            own: What the champion says.
            features: By name, as the champion takes them.
        """
        mine = [self.takes(entity) for entity in entities]
        places = [at for at, is_mine in enumerate(mine) if is_mine or self.shadows]
        by_place = dict(zip(places, self._predict([features[at] for at in places]), strict=False))
        return [self._row(answer, by_place.get(at), mine[at]) for at, answer in enumerate(own)]

    def takes(self, entity: Mapping[str, Any]) -> bool:
        """Whether it answers for an entity: always or never, as long as it is the challenger."""
        key = entity.get(self.by) if self.share else None
        if key is None or self.served is None:
            return False
        digest = hashlib.blake2b(f"{self.version} {key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.share * 2**64

    def _predict(self, rows: Sequence[Mapping[str, Any]]) -> list[Said]:
        if self.served is None or not rows:
            return []
        served = self.served
        try:
            values = served.predict(served.inputs.rows(rows)).tolist()
        except Exception as error:  # whatever a challenger does: the champion answers
            logger.warning("challenger %d of %s does not predict: %s", self.version, served.pipeline.name, error)
            return []
        return [Said(served.version, served.decision, served.form.name, value, served.threshold) for value in values]

    def _row(self, champion: Said, challenger: Said | None, is_mine: bool) -> "_Answer":
        if challenger is None:
            return champion, "", None
        if is_mine:
            return challenger, CANARY, _other(champion)
        return champion, "", _other(challenger)


_Answer = tuple[Said, str, Other | None]
Answers = list[_Answer]
"""Of each row who answers, its role, and what the other one says."""


def _other(answer: Said) -> Other:
    return Other(answer.version, answer.decision, answer.prediction)


def challenger(history: History) -> Entry | None:
    """The entry of the ledger that names the version which waits: the refit of what passed where there is one."""
    decision = history.waiting()
    return decision and (history.refit_of(decision.sequence) or decision)


def wanted(serving: "Serving") -> bool:
    """Whether a challenger is loaded at all."""
    return serving.shadow or serving.canary is not None


def made(entry: Entry, history: History, champion: "Served", load: Callable[[], "Served"]) -> Beside:
    """The challenger of an entry, loaded, or why it does not serve. A lock on promotions leaves it no canary's share.

    Args:
        load: Called without arguments; gives what is served.

    Raises:
        UpstreamUnavailable: A store does not answer.
    """
    serving, version = champion.pipeline.serving, int(entry.payload["version"])
    canary = serving.canary if history.lock() is None else None
    by = (serving.canary and serving.canary.by) or champion.pipeline.prediction.entity_key
    served, problem = None, ""
    try:
        served = load()
        unknown = [name for name in served.inputs.by_name if name not in champion.inputs.by_name]
        if unknown:
            served, problem = None, f"it takes feature {unknown[0]!r}, which the champion is not asked with"
    except UpstreamUnavailable:
        raise
    except Exception as error:  # whatever a model raises
        problem = str(error) if isinstance(error, AirloopError) else f"{type(error).__name__}: {error}"
    if problem:
        logger.warning("%s: challenger %d does not serve: %s", champion.pipeline.name, version, problem)
    return Beside(served, version, problem, serving.shadow, canary.share if canary else 0.0, by)
