"""Families of variants: a variant is one class in one file, named in YAML by its file or as `module:Class`.

A family is a package. Each of its modules without a leading underscore, apart from the one that holds the base class,
is a variant whose name is the module's; its class is the one in it that extends the base. A variant of a project's own
lies anywhere below its include/ and is named `module:Class`. Adding one edits no other file.
"""

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from airloop.config.attribute import import_problem
from airloop.config.nearest import nearest
from airloop.errors import ConfigError

OWN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Family:
    """One kind of variant.

    Attributes:
        kind: What a variant is called, in messages and by `airloop list`.
        base: `module:Class` that every variant extends; the module lies in the package of the family.
    """

    kind: str
    base: str

    @property
    def package(self) -> str:
        """Where airloop's own variants lie."""
        return self.base.partition(":")[0].rpartition(".")[0]

    def names(self) -> tuple[str, ...]:
        """Of airloop's own variants, sorted; imports none of them."""
        return _names(self.package, self.base.partition(":")[0])

    def load(self, name: str) -> Any:
        """The class of a variant.

        Raises:
            ConfigError: There is no such variant, it cannot be imported, or it does not extend the base.
        """
        variant = self._own(name) if is_own(name) else self._shipped(name)
        base = _attribute(self.base)
        if not (inspect.isclass(variant) and issubclass(variant, base)):
            raise ConfigError(f"{self.kind} {name}: is not a subclass of {self.base}")
        if inspect.isabstract(variant):
            lacking = ", ".join(sorted(getattr(variant, "__abstractmethods__", ())))
            raise ConfigError(f"{self.kind} {name}: the class leaves out {lacking}, which {self.base} asks for")
        return variant

    def first_line(self, name: str) -> str:
        """The first line of a variant's docstring: its help."""
        return (inspect.getdoc(self.load(name)) or "").partition("\n")[0]

    def refuse_unknown(self, name: str) -> str:
        """The name, without importing anything: one of airloop's own, or `module:Class`.

        Raises:
            ConfigError: It is neither; names the nearest.
        """
        if name in self.names() or OWN.fullmatch(name):
            return name
        shown = name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}..."
        near = nearest(name, self.names())
        raise ConfigError(
            f"there is no {self.kind} {shown!r}{near} (valid: {', '.join(self.names())}, or module:Class of your own)"
        )

    def _shipped(self, name: str) -> Any:
        self.refuse_unknown(name)
        module = importlib.import_module(f"{self.package}.{name}")
        base = _attribute(self.base)
        classes = [
            variant
            for variant in vars(module).values()
            if inspect.isclass(variant) and issubclass(variant, base) and variant.__module__ == module.__name__
        ]
        (variant,) = [item for item in classes if not inspect.isabstract(item)]
        return variant

    def _own(self, name: str) -> Any:
        if not OWN.fullmatch(name):
            raise ConfigError(f"{self.kind} {name!r}: write module:Class, like my_module:MyClass")
        try:
            return _attribute(name)
        except Exception as error:  # a module of the project may raise anything while it is imported
            raise ConfigError(
                f"{self.kind} {name}: cannot be imported: {import_problem(error)}; modules of the project lie below "
                "its include/"
            ) from error


def is_own(name: str) -> bool:
    """Whether a variant is a project's own, which is imported only where it is used."""
    return ":" in name


def _attribute(path: str) -> Any:
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


@cache
def _names(package: str, base_module: str) -> tuple[str, ...]:
    folder = importlib.import_module(package).__path__
    names = (module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_"))
    return tuple(sorted(name for name in names if f"{package}.{name}" != base_module))
