"""Fingerprints as versions trained before fingerprints had a form were given: their SQL's text without comments.

A version keeps the fingerprint it was trained with, and is compared by the form it has. That form took what follows
`--` inside a literal for a comment, and `/* */` for code; the first version trained since has the present form. This
module goes when no home holds such a version any more.
"""

import re

FORM = "sql2:"
"""How a fingerprint of the present form begins."""


def has_old_form(fingerprint: str) -> bool:
    """Whether a stored fingerprint is of the form that had no name."""
    return not fingerprint.startswith(FORM)


def old_text(sql: str) -> str:
    """SQL without `--` comments and layout, literals included."""
    return " ".join(re.sub(r"--.*", "", sql).split())
