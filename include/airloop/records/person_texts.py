"""What a person writes into a record for good: a reason, and a name."""

from airloop.errors import ConfigError

_LONGEST = 1000


def require_reason(why: str, example: str) -> str:
    """The reason in one line, without blanks around it.

    Args:
        example: How it may be given, for the message.

    Raises:
        ConfigError: There is none, it is longer than 1,000 characters, or it holds control characters.
    """
    reason = " ".join(why.split())
    if not reason:
        raise ConfigError(f"a reason is required, it is kept in the ledger: {example}")
    return require_text(reason, "the reason")


def require_text(text: str, what: str) -> str:
    """A text that a record can hold and a page can show.

    Args:
        what: What it is, for the message.

    Raises:
        ConfigError: It is longer than 1,000 characters, or holds control characters or half a character.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"{what} has {len(text):,} characters, at most {_LONGEST:,} are kept: say it shorter")
    strange = next((character for character in text if _is_strange(character)), None)
    if strange is not None:
        raise ConfigError(f"{what} holds the control character {strange!r}: leave it out")
    return text


def cleaned(text: str) -> str:
    """What can be kept of a text that somebody wrote where it cannot be refused any more."""
    return " ".join("".join(" " if _is_strange(one) else one for one in text).split())[:_LONGEST]


def is_unicode(text: str) -> bool:
    """Whether it is text: half a surrogate pair, which a shell or JSON can hand over, is not."""
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


def _is_strange(character: str) -> bool:
    number = ord(character)
    return number < 0x20 or 0x7F <= number < 0xA0 or 0xD800 <= number < 0xE000
