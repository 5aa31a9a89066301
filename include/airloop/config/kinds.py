"""Variants in pipeline.yaml: `kind:` names a shipped one, or `module:Class` of the pipeline's own, beside its keys."""

from typing import Any, ClassVar

from pydantic import ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from airloop.config.families import Family, is_own
from airloop.config.node import Node
from airloop.config.options import problems
from airloop.errors import ConfigError


class Declared(Node):
    """One variant as it is declared: its kind, and whatever keys that kind has.

    Keys of a shipped kind are checked when the file is read; those of the pipeline's own kind where it is used, because
    its module may import anything.

    Attributes:
        family: The variants it may be; a subclass says which.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    family: ClassVar[Family]

    kind: str
    """Name of a shipped one, or `module:Class` below include/."""

    @model_validator(mode="after")
    def _known(self) -> "Declared":
        try:
            self.family.refuse_unknown(self.kind)
            if not is_own(self.kind):
                self.build()
        except ConfigError as error:
            raise PydanticCustomError("wrong_variant", "{says}", {"says": str(error)}) from error
        return self

    def build(self) -> Any:
        """The variant itself.

        Raises:
            ConfigError: Its module or class is not there or not of the family, a key is unknown, missing, or has a
                wrong value.
        """
        variant = self.family.load(self.kind)
        try:
            return variant.model_validate(dict(self.model_extra or {}))
        except ValidationError as error:
            raise ConfigError(f"{self.family.kind} {self.kind}: {'; '.join(problems(variant, error))}") from error
