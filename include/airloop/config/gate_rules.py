"""`gate.rules`: what a candidate has to pass beside the floors and the comparison."""

from typing import ClassVar

from airloop.config.families import Family
from airloop.config.kinds import Declared

RULE = Family("rule", "airloop.gate.rules.rule:Rule")
SHADOWED = "shadowed"
"""Kind of the rule that is judged before a promotion, on live traffic, and not on a holdout."""


class RuleDeclaration(Declared):
    """One rule: `kind`, and the keys of that kind (docs/guides/gate.md)."""

    family: ClassVar[Family] = RULE

    @property
    def on_holdout(self) -> bool:
        """Whether the gate judges it on what evaluation measured on the holdout."""
        return self.kind != SHADOWED
