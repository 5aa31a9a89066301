"""What checks refuse, a line each, so that a person reads all of it at once."""

from collections.abc import Callable

from airloop.errors import ConfigError


def refusals(check: Callable[..., object], *arguments: object) -> list[str]:
    """The lines of the error that a check raises; none when it passes."""
    try:
        check(*arguments)
    except ConfigError as error:
        return str(error).split("\n")
    return []


def raise_all(wrong: list[str]) -> None:
    """Raise all lines as one error; nothing without any.

    Raises:
        ConfigError: There is a line.
    """
    if wrong:
        raise ConfigError("\n".join(wrong))
