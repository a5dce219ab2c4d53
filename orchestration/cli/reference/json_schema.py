"""JSON Schemas of what verbs report, made from types."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from models_ml.typed_json import ABSENT

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ANYTHING: Schema = {"type": ["array", "boolean", "null", "number", "object", "string"]}
"""What the data decides, such as a cell of a table that was compared."""

_DEFINITIONS = "$defs"
_OF_NAMED_PARTS = ("properties", _DEFINITIONS)
_OF_PARTS = ("anyOf", "oneOf")
_OF_ONE_PART = ("items", "additionalProperties")
# Names said again, defaults of a constructor that no reader of the JSON calls, and OpenAPI's words.
_NEEDLESS = ("title", "default", "discriminator")


def by_name(value: Schema) -> Schema:
    """Describe an object whose names the data decides; each has such a *value*."""
    return {"type": "object", "additionalProperties": value}


def of_type(kind: Any) -> Schema:
    """Describe what JSON is made of a value of the type *kind*."""
    adapter = TypeAdapter[Any](kind)
    return _tidy(adapter.json_schema(mode="serialization", schema_generator=_AsWritten))


def whole(title: str, schema: Schema) -> Schema:
    """Make a document of *schema*: all that its parts refer to stands at its end."""
    definitions: dict[str, Schema] = {}
    body = _gathered(schema, definitions)
    document = {"$schema": DIALECT, "title": title, **body}
    if definitions:
        document[_DEFINITIONS] = dict(sorted(definitions.items()))
    return document


def parts_of(schema: Schema) -> Iterator[Schema]:
    """List *schema* and every schema in it."""
    yield schema
    for part in _parts(schema):
        yield from parts_of(part)


class _AsWritten(GenerateJsonSchema):
    """Takes fields for there: each is written, whatever its default is, but for the ABSENT."""

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ARG002, FBT001 - pydantic's
        """Say so of each."""
        return True

    def any_schema(self, schema: Any) -> Schema:  # noqa: ARG002 - pydantic's
        """Say so, instead of nothing."""
        return ANYTHING

    def dataclass_schema(self, schema: Any) -> Schema:
        """Let those be absent that are not written while they are None."""
        described = super().dataclass_schema(schema)
        for one in fields(schema["cls"]):
            if ABSENT.items() <= one.metadata.items():
                described["required"].remove(one.name)
                told = described["properties"][one.name]
                told["anyOf"] = [part for part in told["anyOf"] if part != {"type": "null"}]
        return described


def _tidy(schema: Schema) -> Schema:
    tidy = {word: told for word, told in schema.items() if word not in _NEEDLESS}
    if len(tidy.get("anyOf", [])) == 1:
        tidy |= tidy.pop("anyOf")[0]
    if "properties" in tidy:
        tidy.setdefault("additionalProperties", False)
    return _with_parts(tidy, _tidy)


def _gathered(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Take the definitions out of *schema* and its parts."""
    own = schema.get(_DEFINITIONS, {})
    for name, definition in own.items():
        gathered = _gathered(definition, definitions)
        if definitions.setdefault(name, gathered) != gathered:
            raise ValueError(f"{name}: two classes of this name are described differently.")
    rest = {word: definition for word, definition in schema.items() if word != _DEFINITIONS}
    return _with_parts(rest, lambda part: _gathered(part, definitions))


def _parts(schema: Schema) -> Iterator[Schema]:
    for word in _OF_NAMED_PARTS:
        yield from schema.get(word, {}).values()
    for word in _OF_PARTS:
        yield from schema.get(word, [])
    for word in _OF_ONE_PART:
        if isinstance(schema.get(word), dict):
            yield schema[word]


def _with_parts(schema: Schema, changed: Callable[[Schema], Schema]) -> Schema:
    """Put what *changed* makes of them in the place of the schemas that stand in *schema*."""
    result = dict(schema)
    for word in _OF_NAMED_PARTS:
        if word in result:
            result[word] = {name: changed(part) for name, part in result[word].items()}
    for word in _OF_PARTS:
        if word in result:
            result[word] = [changed(part) for part in result[word]]
    for word in _OF_ONE_PART:
        if isinstance(result.get(word), dict):
            result[word] = changed(result[word])
    return result
