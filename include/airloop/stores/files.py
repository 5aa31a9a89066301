"""Put a file in its place whole or not at all, on any fsspec file system."""

import uuid
from collections.abc import Mapping

import fsspec

from airloop.errors import UpstreamUnavailable
from airloop.settings import Settings

# A put to these appears whole or not at all, and a rename would be a second copy.
_PUT_IS_ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})


def publish(uri: str, content: bytes, storage_options: Mapping[str, str]) -> None:
    """Put `content` in place of what `uri` held; a reader sees the old one or the new one, never a part.

    On file systems it is renamed from `.<name>.<random>.partial` in the same folder, which is made when missing and is
    all that a killed call may leave behind; on object stores it is one put.

    Raises:
        OSError: The place cannot be written.
    """
    system, path = fsspec.core.url_to_fs(uri, **storage_options)
    folder, name = path.rsplit("/", 1)
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if protocols & _PUT_IS_ATOMIC:
        system.pipe_file(path, content)
        return
    system.makedirs(folder, exist_ok=True)
    partial = f"{folder}/.{name}.{uuid.uuid4().hex}.partial"
    try:
        system.pipe_file(partial, content)
        system.mv(partial, path)
    finally:
        if system.exists(partial):
            system.rm_file(partial)


def put(uri: str, content: bytes, settings: Settings, *, meanwhile: str = "") -> None:
    """`publish` into one of the installation's stores, which may answer again.

    Args:
        meanwhile: What waits until then, for the message.

    Raises:
        UpstreamUnavailable: The place cannot be written.
    """
    try:
        publish(uri, content, settings.storage_options)
    except OSError as error:
        raise UpstreamUnavailable(f"{uri} cannot be written: {error}{meanwhile and f'; {meanwhile}'}") from error
