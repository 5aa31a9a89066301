"""Where a pipeline's own Python went wrong: the line of its file, and the error in a few words."""

import ast
from pathlib import Path

_SHOWN_CHARACTERS = 300


def line_of(error: BaseException, path: Path) -> int:
    """The last line of the file that ran, or the one that is not Python; 0 when it was none of the file's."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def line_naming(path: Path, *names: str) -> int:
    """The first line of a readable file with one of the names as a text of its own, the first name first; else 1."""
    texts = [
        (node.value, node.lineno)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8-sig")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for name in names:
        if lines := [line for text, line in texts if text == name]:
            return min(lines)
    return 1


def brief(error: BaseException) -> str:
    """The kind of an error and the beginning of what it says."""
    return f"{type(error).__name__}: {error}"[:_SHOWN_CHARACTERS]
