"""Families of variants in pipeline.yaml: `kind:` names a shipped one, or `module:Class` of the pipeline's own."""

import importlib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from airloop.config.nearest import nearest
from airloop.config.node import Node
from airloop.errors import ConfigError

_OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Declared(Node):
    """One variant as it is declared: its kind, and whatever keys that kind has.

    A family is a subclass that sets `shipped`. Keys of a shipped kind are checked when the file is read; those of the
    pipeline's own kind where it is used, because its module may import anything.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    """Name of a shipped one, or `module:Class` below include/."""

    @classmethod
    def shipped(cls) -> Mapping[str, str]:
        """Name -> `module:Class`."""
        return {}

    @model_validator(mode="after")
    def _known(self) -> "Declared":
        names = self.shipped()
        if self.kind not in names and not _OWN.fullmatch(self.kind):
            valid = ", ".join(names)
            says = f"{self.kind!r} is not a kind{nearest(self.kind, names)} (kinds: {valid}, or module:Class)"
            raise PydanticCustomError("unknown_kind", "{says}", {"says": says})
        if self.kind in names:
            try:
                self.build()
            except ConfigError as error:
                raise PydanticCustomError("wrong_variant", "{says}", {"says": str(error)}) from error
        return self

    def build(self) -> Any:
        """The variant itself.

        Raises:
            ConfigError: Its module or class is not there, a key is unknown, missing, or has a wrong value.
        """
        variant = _load(self.kind, self.shipped())
        try:
            return variant.model_validate(dict(self.model_extra or {}))
        except ValidationError as error:
            raise ConfigError(
                f"kind {self.kind}: {'; '.join(_told(item, variant) for item in error.errors())}"
            ) from error


def _load(kind: str, shipped: Mapping[str, str]) -> Any:
    module, _, name = shipped.get(kind, kind).partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind {kind}: cannot be loaded: {error}; it is looked for below include/") from error


def _told(item: Any, variant: Any) -> str:
    key = ".".join(map(str, item["loc"]))
    if item["type"] == "extra_forbidden":
        valid = tuple(variant.model_fields)
        return f"{key}: unknown key{nearest(key, valid)} (valid: {', '.join(valid)})"
    return f"{key}: {item['msg']}" if key else str(item["msg"])
