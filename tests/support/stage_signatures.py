"""What the house asks of a stage's signature and of how it reads: typed records, one look-up."""

import ast
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from airloop.deployment import Deployment
from airloop.records import Record, Window
from airloop.run.stages import STAGES, Stage

_NO_LOOK_UP = {"lake.table_uri"}
"""Called by look-up and stage alike, and reads nothing: it makes a name."""


def problems(stage: Stage, function: Callable[..., Any], look_up: Callable[..., Any] | None) -> list[str]:
    """Where the functions of a stage are not `stage(at, window, [reads,] *, its records, options) -> its record`."""
    hints, leading = typing.get_type_hints(function), _leading(function)
    expected: dict[str, Any] = {"at": Deployment, "window": Window}
    if look_up is not None:
        expected["reads"] = typing.get_type_hints(look_up)["return"]
    handed = {STAGES[need].hands_on: _record_of(need) for need in stage.needs}
    typed = {**expected, **handed, "return": stage.record}
    lines = [f"{name}: {hints.get(name)}, not {kind}" for name, kind in typed.items() if hints.get(name) != kind]
    if leading != list(expected):
        lines.append(f"begins with {leading}, not {list(expected)}")
    options = {name: hint for name, hint in hints.items() if name not in typed}
    lines += [f"option {name}: {hint}" for name, hint in options.items() if not _is_plain(hint)]
    if look_up is not None:
        lines += _look_up_problems(look_up, hints)
    return lines


def looked_up_twice(source: str, function: str, look_up: str = "inputs") -> set[str]:
    """What a stage calls that its look-up called already, in its own module or through functions of it."""
    module = ast.parse(source)
    own = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    before, after = ({*_calls(own, _imported(module), name)} for name in (look_up, function))
    outside = (before & after) - set(own) - _NO_LOOK_UP
    return outside | ({look_up} & after)


def _imported(module: ast.Module) -> set[str]:
    """The library's modules and functions that a module names; its classes read nothing."""
    lines = (
        node for node in module.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airloop")
    )
    return {item.asname or item.name for node in lines for item in node.names if item.name[0].islower()}


def _leading(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that are not keywords; a leading underscore says that one is not used."""
    parameters = inspect.signature(function).parameters.values()
    return [item.name.removeprefix("_") for item in parameters if item.kind is not item.KEYWORD_ONLY]


def _record_of(need: str) -> Any:
    record = STAGES[need].record
    return tuple[record, ...] if need == "tune" else record  # type: ignore[valid-type]


def _is_plain(hint: Any) -> bool:
    """Whether an option is a text, a number, or one of a few of them."""
    if typing.get_origin(hint) is typing.Literal:
        return True
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return all(_is_plain(item) for item in typing.get_args(hint))
    return hint in (str, int)


def _look_up_problems(look_up: Callable[..., Any], of_stage: dict[str, Any]) -> Iterator[str]:
    hints = typing.get_type_hints(look_up)
    reads = hints.pop("return")
    if not all(_is_record(item) for item in _parts(reads)):
        yield f"reads {reads}: not a record"
    if _leading(look_up) != ["at", "window"]:
        yield f"the look-up begins with {_leading(look_up)}"
    of_look_up = {name.removeprefix("_"): hint for name, hint in hints.items()}
    yield from (f"the look-up takes {name}: {hint}" for name, hint in of_look_up.items() if of_stage.get(name) != hint)


def _parts(hint: Any) -> list[Any]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return [item for item in typing.get_args(hint) if item is not type(None)]
    if typing.get_origin(hint) is tuple:
        return [item for item in typing.get_args(hint) if item is not Ellipsis]
    return [hint]


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Record)


def _calls(own: dict[str, ast.FunctionDef], imported: set[str], name: str) -> Iterator[str]:
    """The functions that one calls, in its module and through them: its own, and those of modules of the library."""
    waiting, reached = [name], {name}
    while waiting:
        for node in ast.walk(own[waiting.pop()]):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in own and called not in reached:
                reached.add(called)
                waiting.append(called)
                yield called
            elif called not in own and any(called.startswith(f"{name}.") or called == name for name in imported):
                yield called
