"""`monitoring.triggers`: what asks for a training after a look."""

from typing import ClassVar

from airloop.config.families import Family
from airloop.config.kinds import Declared

TRIGGER = Family("trigger", "airloop.watch.triggers.trigger:Trigger")


class TriggerDeclaration(Declared):
    """One trigger: `kind`, and the keys of that kind (docs/extend/triggers.md)."""

    family: ClassVar[Family] = TRIGGER
