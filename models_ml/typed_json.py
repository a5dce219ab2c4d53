"""JSON as types: a file is read as a dataclass, or an error says which field is wrong.

With the standard library alone, for this package runs where nothing else is installed.
"""

import json
import types
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Scalar = bool | int | float | str | None
Settings = Mapping[str, Scalar]
"""Named settings of which only their owner knows more; `decode` makes the owner's type of them."""

ABSENT = {"absent while None": True}
"""The metadata of a dataclass's field that is not written while it is None."""

LENIENT = {"default where wrong": True}
"""The metadata of a field that only describes: what it cannot be, it takes its default for."""

_T = TypeVar("_T")
_MOST_SHOWN = 60


class JsonTypeError(ValueError):
    """A JSON value is not of the type that it is read as; the message says where."""


def read_json(path: Path, kind: type[_T]) -> _T:
    """Read the file at *path* as a *kind*: a dataclass, or a list or dict of them.

    Fields that *kind* does not know are left out; one that is missing takes its default.

    Raises:
        JsonTypeError: a field is missing or of another type, or the file is no JSON.
        FileNotFoundError: there is no such file.
    """
    try:
        value = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise JsonTypeError(f"{path}: this is no JSON: {error}") from error
    return decode(kind, value, f"{path}")


def json_text(value: object) -> str:
    """Write a dataclass as JSON, with its fields in their order."""
    return json.dumps(plain(value), indent=2) + "\n"


def decode(kind: type[_T], value: object, where: str) -> _T:
    """Make a *kind* of *value*, which JSON gave; *where* names it in errors.

    Raises:
        JsonTypeError: *value* is none.
    """
    return cast("_T", _decoded(kind, value, where))


def as_settings(value: object) -> Settings:
    """Give the fields of a dataclass of scalars as settings, which `decode` turns back."""
    return {part.name: getattr(value, part.name) for part in fields(cast("Any", value))}


def plain(value: object) -> object:
    """Take a dataclass apart into what JSON has; what it has no word for stays as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        told = ((part, getattr(value, part.name)) for part in fields(value))
        return {
            part.name: plain(one)
            for part, one in told
            if one is not None or not ABSENT.items() <= part.metadata.items()
        }
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _decoded(kind: Any, value: object, where: str) -> object:
    if is_dataclass(kind):
        return _object(cast("type", kind), value, where)
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _one_of(kind, value, where)
    if origin is list and isinstance(value, list):
        return [_decoded(parts[0], one, f"{where}[{nth}]") for nth, one in enumerate(value)]
    if origin in {dict, Mapping} and isinstance(value, dict):
        return {name: _decoded(parts[1], one, f"{where}.{name}") for name, one in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    # By the very type: a truth value is no number here, though Python takes it for one.
    if kind is object or type(value) is kind or (origin is Literal and value in parts):
        return value
    raise JsonTypeError(f"{where} is {_shown(value)}, not {_named(kind)}.")


def _object(kind: type, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise JsonTypeError(f"{where} is {_shown(value)}, not an object.")
    hints, values = _hints(kind), {}
    for part in fields(kind):
        if part.name in value:
            there = f"{where}{'.' if ': ' in where else ': '}{part.name}"
            is_lenient = LENIENT.items() <= part.metadata.items()
            with suppress(JsonTypeError) if is_lenient else nullcontext():
                values[part.name] = _decoded(hints[part.name], value[part.name], there)
        elif part.default is MISSING and part.default_factory is MISSING:
            raise JsonTypeError(f"{where}: {part.name} is missing.")
    return kind(**values)


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _one_of(kind: Any, value: object, where: str) -> object:
    kinds = [one for one in get_args(kind) if one is not type(None)]
    # A whole number is taken as it is, where it may be one, before it is made a float.
    if type(value) in kinds or (value is None and len(kinds) < len(get_args(kind))):
        return value
    if len(kinds) == 1:
        return _decoded(kinds[0], value, where)
    for one in kinds:
        with suppress(JsonTypeError):
            return _decoded(one, value, where)
    raise JsonTypeError(f"{where} is {_shown(value)}, not {_named(kind)}.")


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]} ..."


def _named(kind: Any) -> str:
    if get_origin(kind) in {dict, Mapping}:
        return "an object"
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")
