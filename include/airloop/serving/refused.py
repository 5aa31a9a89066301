"""What a request is refused with: a status, a word for programs, a sentence for people, and the place."""

from typing import Any

_SHOWN_CHARACTERS = 80


class Refused(Exception):
    """A request that is not answered with a prediction.

    Attributes:
        status: HTTP status.
        code: A word with underscores, for programs.
        message: What is wrong and what to do.
        place: `row`, `field` and `value`, as far as they say something.
    """

    def __init__(self, status: int, code: str, message: str, **place: Any) -> None:
        """`place` holds JSON-able values; long ones are cut."""
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.place = {name: shown(value) if name == "value" else value for name, value in place.items()}

    def in_row(self, row: int) -> "Refused":
        """The same, about one row of a batch (from 0)."""
        return Refused(self.status, self.code, f"row {row}: {self.message}", row=row, **self.place)

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"code": self.code, "message": self.message, **self.place}}


def shown(value: Any) -> Any:
    """A value as an error may repeat it: short texts, numbers and flags as they are, all else as a cut text."""
    if value is None or isinstance(value, (bool, int, float)):
        return value if not isinstance(value, int) or abs(value) < 1 << 53 else _cut(str(value))
    return _cut(value if isinstance(value, str) else repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
