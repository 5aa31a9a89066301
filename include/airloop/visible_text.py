"""Texts from data as a person sees all of them: what a terminal would obey, or nobody would see, is escaped."""


def visible(text: str) -> str:
    r"""The text with everything that is not printed escaped, like `\x1b` and `\u202e`; line ends stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def one_line(text: str) -> str:
    """A value inside a line: its line ends are escaped, too, so that it cannot start a line of its own."""
    return visible(text).replace("\n", "\\n")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
