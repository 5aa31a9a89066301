"""The text of a file that a pipeline's author wrote, or one line about why it is none."""

import stat
from pathlib import Path

from airloop.errors import ConfigError

_MOST_BYTES = 2 << 20


def read(path: Path) -> str:
    """The text; a byte order mark that an editor put in front is not part of it.

    Raises:
        ConfigError: It is not a file (a pipe would be waited for), holds more than 2 MiB, is not UTF-8 (says the line),
            or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path}: is not a file")
        if status.st_size > _MOST_BYTES:
            raise ConfigError(f"{path}: holds {status.st_size >> 20} MiB, at most {_MOST_BYTES >> 20} are read")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        says = f"byte {content[error.start]:#04x} is not UTF-8: save the file in that encoding"
        raise ConfigError(f"{path}:{line}: {says}") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(f"{path}:{line}: holds a NUL character: is it a text, saved as UTF-8?")
    return text.replace("\r\n", "\n")
