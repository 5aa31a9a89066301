"""The declared triggers, each asked about a look; a training that one asks for has a reason and a key of its own."""

import logging
from dataclasses import dataclass
from typing import get_args

from airloop.config.families import is_own
from airloop.config.monitoring import Monitoring
from airloop.config.triggers import TriggerDeclaration
from airloop.errors import ConfigError
from airloop.records import Monitored
from airloop.watch.triggers.trigger import ASKED, Looks, Trigger, Verdict

logger = logging.getLogger(__name__)

_KINDS = get_args(Verdict.__annotations__["kind"])


@dataclass(frozen=True)
class TriggerAnswer:
    """What one declared trigger says.

    Attributes:
        reason: Of the training it would ask for.
        kind: As it is declared, where the reason does not say it; empty of airloop's own.
    """

    reason: str
    kind: str
    verdict: Verdict

    def key(self, monitored: Monitored) -> str:
        """What one training answers: equal for every run of triage over this look."""
        return ":".join(filter(None, [self.reason, self.kind, _end_of_key(monitored)]))


def is_key_of(reason_key: str, monitored: Monitored) -> bool:
    """Whether a training with this key answers what some trigger saw in this look."""
    return reason_key.endswith(f":{_end_of_key(monitored)}")


def looks_read(watched: Monitoring) -> int:
    """How many looks the policy and the declared triggers read at most."""
    return max(watched.policy.n, *(_build(item).reads for item in watched.declared_triggers))


def ask(watched: Monitoring, looks: Looks) -> list[TriggerAnswer]:
    """The verdict of each declared trigger, in their order.

    Raises:
        ConfigError: One of the pipeline's own cannot be built, fails, or answers something that is not a verdict; the
            message names it. The watch stays red then: a trigger that is broken must not look like one that is quiet.
    """
    return [_answer(item, looks) for item in watched.declared_triggers]


def _answer(declared: TriggerDeclaration, looks: Looks) -> TriggerAnswer:
    trigger = _build(declared)
    if not is_own(declared.kind):
        return TriggerAnswer(trigger.reason, "" if trigger.reason != ASKED else declared.kind, trigger.judge(looks))
    try:
        verdict = trigger.judge(looks)
    except Exception as error:
        logger.exception("trigger %s failed", declared.kind)
        says = f"trigger {declared.kind} failed with {type(error).__name__}: {error}; mend it and run triage again"
        raise ConfigError(says) from error
    if not isinstance(verdict, Verdict) or verdict.kind not in _KINDS or not verdict.why:
        expected = f"judge returns a Verdict of {', '.join(_KINDS)}, and why"
        raise ConfigError(f"trigger {declared.kind} answered {verdict!r:.100}: {expected}")
    return TriggerAnswer(ASKED, declared.kind, verdict)


def _build(declared: TriggerDeclaration) -> Trigger:
    trigger: Trigger = declared.build()
    return trigger


def _end_of_key(monitored: Monitored) -> str:
    return f"{monitored.version}:{monitored.window.to_json()['end']}"
