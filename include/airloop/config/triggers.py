"""`monitoring.triggers`: what asks for a training after a look."""

from typing import ClassVar

from airloop.config.kinds import Declared
from airloop.families import Family

TRIGGER = Family("trigger", "airloop.watch.triggers.trigger:Trigger")


class TriggerDeclaration(Declared):
    """One trigger: `kind`, and the keys of that kind (docs/extend/triggers.md)."""

    family: ClassVar[Family] = TRIGGER
