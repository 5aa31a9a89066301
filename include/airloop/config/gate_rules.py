"""`gate.rules`: what a candidate has to pass beside the floors and the comparison."""

from typing import ClassVar

from airloop.config.kinds import Declared
from airloop.families import Family

RULE = Family("rule", "airloop.gate.rules.rule:Rule")


class RuleDeclaration(Declared):
    """One rule: `kind`, and the keys of that kind (docs/guides/gate.md)."""

    family: ClassVar[Family] = RULE
