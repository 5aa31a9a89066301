"""`gate.rules`: what a candidate has to pass beside the floors and the comparison."""

from collections.abc import Mapping

from airloop.config.kinds import Declared

RULES = {
    name: f"airloop.gate.rules.{name}:{name.title()}"
    for name in ("behaviour", "calibration", "cost", "fairness", "latency", "sanity", "slices")
}


class RuleDeclaration(Declared):
    """One rule: `kind`, and the keys of that kind (docs/guides/gate.md)."""

    @classmethod
    def shipped(cls) -> Mapping[str, str]:
        """The rules airloop brings."""
        return RULES
