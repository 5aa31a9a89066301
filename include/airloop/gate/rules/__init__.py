"""Rules of the gate beside floors and comparison, one a file: what evaluation measures for it, and what passes."""
