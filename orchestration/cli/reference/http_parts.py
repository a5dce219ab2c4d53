"""The parts of the endpoint's page that follow from its code: from its OpenAPI and its problems."""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from orchestration.cli.reference.markdown import code, either, table
from serving import app, problems

Schema = dict[str, Any]

# A status that is new needs some words.
_WHEN = {
    400: "there is a body, and it is no JSON",
    404: "no such path",
    405: "the path is asked by `POST` only",
    413: f"the body is over {app.MAX_BODY // 1024} KiB",
    415: "`Content-Type` is not `application/json`",
    422: "there is no body, or a field is missing, unknown or wrong; `errors` lists each",
    500: "a fault of ours; the log has it under the request id",
    503: "the release is still being loaded; the packaged service begins to listen after that",
}
_BITS_64 = {"minimum": -(2.0**63), "exclusiveMaximum": 2.0**63}
_SINGLE = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "string": "text",
}


class Field(NamedTuple):
    """A field of a question or an answer, by its way from the outside, such as `users[].rank`."""

    name: str
    value: str
    what: str
    default: str


def parts() -> dict[str, str]:
    """Make the parts of `docs/reference/http.md`."""
    api = Api(app.make_app(_nothing).openapi())
    return {
        "paths": api.paths(),
        "questions": api.questions(),
        "answers": api.answers(),
        "reasons": api.reasons(),
        "problem": api.problem(),
        "codes": codes(),
        "limits": limits(),
    }


def codes() -> str:
    """List the problems by their codes."""
    rows = (
        (f"{status}", f"`{name}`", HTTPStatus(status).phrase, _WHEN[status])
        for status, name in problems.CODES.items()
    )
    return table(["status", "code", "title", "when"], rows)


def limits() -> str:
    """List what a request is held to before its fields are looked at, and its headers."""
    named = app._GOOD_REQUEST_ID.pattern  # noqa: SLF001 - a promise of the endpoint, told here alone
    policy = app._OWN_CONTENT_ONLY  # noqa: SLF001 - as above
    rows = {
        "body": f"at most {app.MAX_BODY:,} bytes ({app.MAX_BODY // 1024} KiB)",
        "`Content-Type`": f"`application/json`; of problems `{problems.MEDIA_TYPE}`",
        f"`{app.REQUEST_ID}`": f"names the request, if it is as `{named}`; else one is made. It "
        "comes back in the same header and in the body",
        "`Content-Security-Policy`": f"of answers: `{policy}`",
    }
    return table(["", "what"], rows.items())


class Api:
    """The OpenAPI document as tables."""

    def __init__(self, document: Schema) -> None:
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self._posts: dict[str, Schema] = {
            path: told["post"] for path, told in document["paths"].items()
        }

    def paths(self) -> str:
        """List the paths with what they answer."""
        rows = ((f"`POST {path}`", post["description"]) for path, post in self._posts.items())
        return table(["path", "what"], rows)

    def questions(self) -> str:
        """List the fields of all questions."""
        rows = self._merged(self._question)
        columns = ["field", "for", "value", "default", "what"]
        return table(
            columns, ((f"`{one.name}`", of, one.value, one.default, one.what) for one, of in rows)
        )

    def answers(self) -> str:
        """List the fields of all answers."""
        rows = self._merged(self._answer)
        return table(
            ["field", "of", "value", "what"],
            ((f"`{one.name}`", of, one.value, one.what) for one, of in rows),
        )

    def reasons(self) -> str:
        """List the kinds of reasons and the fields of each."""
        by_kind = {
            kind: self._named(named["$ref"])
            for schema in self._schemas.values()
            for field in schema.get("properties", {}).values()
            for named in field.get("items", {}).get("oneOf", [])
            for kind in [self._kind(named)]
        }
        rows = (
            (f"`{kind}`", _names(schema), schema["description"]) for kind, schema in by_kind.items()
        )
        return table(["kind", "fields", "what"], rows)

    def problem(self) -> str:
        """List the fields of a problem."""
        rows = self._fields(self._schemas["Problem"])
        return table(
            ["field", "value", "what"], ((f"`{one.name}`", one.value, one.what) for one in rows)
        )

    def _merged(self, schema_of: Callable[[Schema], Schema]) -> Iterator[tuple[Field, str]]:
        """List the fields of the schemas of all paths, and which paths each is for."""
        paths_by_field: dict[Field, list[str]] = {}
        for path, post in self._posts.items():
            for one in self._fields(schema_of(post)):
                paths_by_field.setdefault(one, []).append(path.rpartition("/")[2])
        for one, paths in paths_by_field.items():
            yield one, "both" if len(paths) == len(self._posts) else code(*paths)

    def _question(self, post: Schema) -> Schema:
        return self._named(_content(post["requestBody"])["$ref"])

    def _answer(self, post: Schema) -> Schema:
        return self._named(_content(post["responses"]["200"])["$ref"])

    def _named(self, reference: str) -> Schema:
        return self._schemas[reference.rpartition("/")[2]]

    def _kind(self, named: Schema) -> str:
        return str(self._named(named["$ref"])["properties"]["kind"]["const"])

    def _fields(self, schema: Schema, before: str = "") -> Iterator[Field]:
        """List the fields of *schema*, and after each that holds objects, those of the objects."""
        for name, part in schema["properties"].items():
            inner = part.get("items", part)
            held = self._named(inner["$ref"]) if "$ref" in inner else None
            what = part.get("description") or (held or {}).get("description", "")
            is_needed = name in schema.get("required", [])
            default = "needed" if is_needed else json.dumps(part.get("default"))
            yield Field(f"{before}{name}", self._value(part), what, default)
            if held:
                yield from self._fields(held, f"{before}{name}{'[]' * ('items' in part)}.")

    def _value(self, schema: Schema) -> str:
        """Say in words what values are taken or given."""
        if "anyOf" in schema:
            return either([self._value(one) for one in schema["anyOf"]])
        if "oneOf" in schema:
            return "reasons, " + code(*map(self._kind, schema["oneOf"]))
        if "$ref" in schema:
            return "object"
        if "items" in schema:
            items = schema["items"]
            return "list of objects" if "$ref" in items else f"list of {self._value(items)}"
        return _single(schema)


def _single(schema: Schema) -> str:
    """Say what a text, a number or a truth value may be."""
    if "enum" in schema:
        return code(*schema["enum"])
    if "maxLength" in schema:
        return f"text of {schema['minLength']} to {schema['maxLength']} characters"
    if schema.items() >= _BITS_64.items():
        return "whole number of at most 64 bits"
    if "minimum" in schema:
        return f"whole number from {schema['minimum']:g} to {schema['maximum']:g}"
    return _SINGLE[schema["type"]]


def _names(schema: Schema) -> str:
    """List the fields of a reason, beside its kind."""
    return ", ".join(f"`{name}`" for name in schema["properties"] if name != "kind")


def _content(told: Schema) -> Schema:
    return dict(told["content"]["application/json"]["schema"])


def _nothing() -> Any:
    """Stand for what is live: nobody asks it here."""
