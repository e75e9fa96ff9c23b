"""Shapes as JSON Schema (2020-12, and draft 7 alike), read from the serializers: for the sockets' document.

Our own and small, so that sockets are described where nothing but Django and DRF is installed; a test
holds it to what the OpenAPI document says of the same shapes.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from rest_framework import serializers

Schema = dict[str, Any]
Field = serializers.Field[Any, Any, Any, Any]

# Moments go out as text that was rendered already; by their names they are known.
MOMENT = re.compile(r"(^|_)(at|until)$")


def name_of(shape: type[serializers.Serializer[Any]]) -> str:
    """Return the name that a shape has in the documents."""
    return shape.__name__.removesuffix("Serializer")


def moment_format(field: Field) -> Schema:
    """Return the format of a text field that holds a moment, or nothing."""
    name = getattr(field, "field_name", None) or ""
    plain = type(field) is serializers.CharField
    return {"format": "date-time"} if plain and MOMENT.search(name) else {}


def schema_of(shape: serializers.Serializer[Any], known: dict[str, Schema]) -> Schema:
    """Return a reference to a shape, after putting it, and what it nests, among those ``known``."""
    name = name_of(type(shape))
    if name not in known:
        known[name] = {}
        known[name] = object_of(shape, known)
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(shape: serializers.Serializer[Any], known: dict[str, Schema]) -> Schema:
    """Return a shape itself; fields beyond those named are allowed, as the protocol has it."""
    fields = shape.fields
    required = [name for name, field in fields.items() if field.required]
    return {
        "type": "object",
        "description": inspect.getdoc(type(shape)) or "",
        "properties": {name: field_of(field, known) for name, field in fields.items()},
        **({"required": required} if required else {}),
    }


def field_of(field: Field, known: dict[str, Schema]) -> Schema:
    """Return what a field takes or shows."""
    schema = {**_kind(field, known), **moment_format(field)}
    if field.help_text:
        schema["description"] = str(field.help_text)
    if not field.allow_null:
        return schema
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [schema["type"], "null"]}


def _kind(field: Field, known: dict[str, Schema]) -> Schema:
    if isinstance(field, serializers.Serializer):
        return schema_of(field, known)
    if isinstance(field, (serializers.ListSerializer, serializers.ListField)):
        child: Any = field.child
        return {"type": "array", "items": _child(child, known), **_bounds(field)}
    if isinstance(field, serializers.DictField):
        return {"type": "object", "additionalProperties": _child(field.child, known)}
    if isinstance(field, serializers.ChoiceField):
        return {"type": "string", "enum": list(field.choices)}
    if isinstance(field, serializers.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, serializers.IntegerField):
        return {"type": "integer", **_bounds(field)}
    if isinstance(field, serializers.FloatField):
        return {"type": "number", **_bounds(field)}
    return {"type": "string", **_format(field), **_bounds(field)}


def _child(field: Field, known: dict[str, Schema]) -> Schema:
    # Without a child a list or an object holds anything.
    return {} if type(field).__name__ == "_UnvalidatedField" else field_of(field, known)


FORMATS: tuple[tuple[type[Any], str], ...] = (
    (serializers.UUIDField, "uuid"),
    (serializers.DateTimeField, "date-time"),
    (serializers.EmailField, "email"),
    (serializers.URLField, "uri"),
)


def _format(field: Field) -> Schema:
    return next(({"format": name} for kind, name in FORMATS if isinstance(field, kind)), {})


BOUNDS = {
    "min_value": "minimum",
    "max_value": "maximum",
}


def _bounds(field: Field) -> Schema:
    said = dict(BOUNDS)
    if isinstance(field, serializers.ListField):
        said["max_length"] = "maxItems"
    elif not isinstance(field, serializers.UUIDField):
        said["max_length"] = "maxLength"
    found = {word: getattr(field, name, None) for name, word in said.items()}
    return {word: value for word, value in found.items() if value is not None}
