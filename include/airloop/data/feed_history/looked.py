"""One window before the eyes of every detection: its sketches, those of the windows before, what people answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from airloop.config import Pipeline
from airloop.data.feed_history.sketch import Sketch
from airloop.data.feed_history.store import PastWindow
from airloop.records import Alarm, Window

Answers = Mapping[tuple[Window, str], str]
"""(window, subject) of each alarm raised before -> `accepted`, `excluded`, or an empty text while it is open."""

MEND = "land the files again in the old unit, or say that the new one is right: `airloop alarms answer`"
LAND = "land what is missing and the window is built again, or say that it is right: `airloop alarms answer`"
AGAIN = "land the files as they were written before, or say that they are right: `airloop alarms answer`"


@dataclass(frozen=True)
class Looked:
    """A window and what it is held against.

    Attributes:
        sketches: Of this window, by feed; of two feeds that share their key by `first|second`.
        past: The windows before by the same names, oldest first.
        told: The alarms that ingestion raised about the window.
        missing_days: `feed 2013-04-07` of the days that ingestion found no file of.
    """

    pipeline: Pipeline
    window: Window
    sketches: Mapping[str, Sketch]
    past: Mapping[str, Sequence[PastWindow]]
    answers: Answers
    told: tuple[Alarm, ...] = ()
    missing_days: frozenset[str] = frozenset()

    @property
    def feeds(self) -> dict[str, Sketch]:
        """The sketches of single feeds."""
        return {name: sketch for name, sketch in self.sketches.items() if "|" not in name}

    @property
    def pairs(self) -> dict[tuple[str, str], Sketch]:
        """The sketches of two feeds, by their names."""
        named = {name: tuple(name.split("|")) for name in self.sketches if "|" in name}
        return {(first, second): self.sketches[name] for name, (first, second) in named.items()}

    def trusted(self, name: str, *subjects: str) -> list[Sketch]:
        """The past sketches of `name` that count for all of some subjects, oldest first.

        A window counts unless an alarm about a subject is open or excluded; of an accepted one the past begins with its
        window.
        """
        answered = [self._answers[subject] for subject in subjects if subject in self._answers]
        if not answered:
            return [item.sketch for item in self.past.get(name, ())]
        sketches: list[Sketch] = []
        for item in self.past.get(name, ()):
            answers = [of_subject.get(item.window) for of_subject in answered]
            if "accepted" in answers:
                sketches = []
            if all(answer in (None, "accepted") for answer in answers):
                sketches.append(item.sketch)
        return sketches

    @cached_property
    def _answers(self) -> dict[str, dict[Window, str]]:
        """Subject -> window -> answer."""
        by_subject: dict[str, dict[Window, str]] = {}
        for (window, subject), answer in self.answers.items():
            by_subject.setdefault(subject, {})[window] = answer
        return by_subject
