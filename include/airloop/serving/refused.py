"""What a request is refused with: a status, a word for programs, a sentence for people, and the place."""

from typing import Any

_SHOWN_CHARACTERS = 80
_MESSAGE_CHARACTERS = 1500
"""A longer message quotes what was sent: its middle is left out, and what to do stands at its end."""


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
        self.status, self.code, self.message = status, code, _bounded(message)
        self.place = {name: shown(value) for name, value in place.items()}

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
    # Half a surrogate pair is a text that no answer can carry.
    return _cut(value.encode("utf-8", "replace").decode() if isinstance(value, str) else repr(value))


def refuse_strange_text(field: str, text: str) -> None:
    """Refuse a text that is not Unicode (half a surrogate pair) or holds a NUL, which databases do not take.

    Raises:
        Refused: Names the field.
    """
    if text.isascii() and text.isprintable():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused(422, "strange_text", f"{field!r} is not valid Unicode text", field=field, value=text) from error
    if "\0" in text:
        raise Refused(422, "strange_text", f"{field!r} holds a NUL character: leave it out", field=field, value=text)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _bounded(message: str) -> str:
    half = _MESSAGE_CHARACTERS // 2
    return message if len(message) <= _MESSAGE_CHARACTERS else f"{message[:half]} ... {message[-half:]}"
