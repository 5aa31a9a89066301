"""A zip file that is the same for the same content, written whole or not at all."""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from airloop.errors import ConfigError

SUMS = "SHA256SUMS"
_MOMENT = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16


def write(path: Path, files: Mapping[str, bytes]) -> str:
    """Write the files, and SHA256SUMS over them as `sha256sum -c` reads it; returns the SHA-256 of the archive.

    Killed anywhere, `path` holds what it held before.

    Raises:
        ConfigError: The place does not take it.
    """
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    whole = {**files, SUMS: sums.encode()}
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in sorted(whole):
                entry = zipfile.ZipInfo(name, _MOMENT)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _READABLE
                archive.writestr(entry, whole[name])
        digest = hashlib.sha256(draft.read_bytes()).hexdigest()
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"--out {path} cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return digest
