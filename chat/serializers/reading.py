"""Reads what a client sends: each value must have its JSON type, and all errors are reported together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from django.utils import translation
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.serializers import as_serializer_error
from rest_framework.settings import api_settings

from chat.errors import LANGUAGE, Invalid
from chat.serializers.names import known_names

Shape = type[serializers.Serializer[Any]]
Errors = dict[str, list[str]]

# The first kind that fits a field decides which JSON values it takes.
TYPES: tuple[tuple[tuple[type[Any], ...], tuple[type, ...], str], ...] = (
    ((serializers.BooleanField,), (bool,), "true or false"),
    ((serializers.IntegerField,), (int,), "a whole number"),
    ((serializers.FloatField,), (int, float), "a number"),
    ((serializers.ListField,), (list,), "a list"),
    ((serializers.DictField,), (dict,), "an object"),
    (
        (
            serializers.CharField,
            serializers.ChoiceField,
            serializers.DateTimeField,
            serializers.UUIDField,
        ),
        (str,),
        "a string",
    ),
)
NAMED: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
)
FOREIGN = "This request does not set this field."


def read(
    shape: Shape,
    data: Any,
    *,
    partial: bool = False,
    around: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the data in the shape. Raises Invalid with every error of the data.

    Unknown fields are ignored, so that a newer client can talk to an older server. Known fields
    that the shape does not write are refused, except those ``around`` the shape (`type`, `ref`).
    A shape may have ``prepared(data)``, which renames fields first, ``conflicts(data)``, which
    returns errors between fields, and ``faults(data, wrong)``, which returns errors that an action would
    find later. The last is called only for data that is refused anyway, with the names of the wrong fields.
    """
    return _reader(shape, partial, around).read(data)


def read_strings(shape: Shape, data: Mapping[str, str]) -> dict[str, Any]:
    """Return the data in the shape, where each value is a string as in a URL. Raises Invalid."""
    return _string_reader(shape).read(data)


class Reader:
    """A shape that is built once, because building it costs as much as validating a message."""

    def __init__(
        self, shape: Shape, partial: bool, around: frozenset[str], typed: bool = True
    ) -> None:
        self.shape = shape(partial=partial)
        self._prepared = getattr(self.shape, "prepared", _unchanged)
        self._conflicts = getattr(self.shape, "conflicts", _none)
        self._faults = getattr(self.shape, "faults", _none)
        self.foreign = known_names() - self.shape.fields.keys() - around
        kinds = ((name, _type_of(field)) for name, field in self.shape.fields.items())
        self.types = {name: kind for name, kind in kinds if kind and typed}

    def read(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise Invalid(f"Send an object, not {_name_of(data)}.")
        data = self._prepared(data)
        mistyped = self._mistyped(data)
        conflicts = self._conflicts(data)
        if not mistyped and not conflicts and self.foreign.isdisjoint(data):
            try:
                return dict(self.shape.run_validation(data))
            except serializers.ValidationError:
                # Its texts are in the language of the thread: they are collected again below.
                pass
        with translation.override(LANGUAGE):
            raise self._refusal(data, mistyped, conflicts)

    def _mistyped(self, data: Mapping[str, Any]) -> Errors:
        # All values of a form or a query string are strings.
        if isinstance(data, MultiValueDict):
            return {}
        found = {}
        for name, (types, expected) in self.types.items():
            value = data.get(name)
            if value is not None and not _is_of(value, types):
                found[name] = [f"Send {expected}, not {_name_of(value)}."]
        return found

    def _refusal(self, data: Mapping[str, Any], mistyped: Errors, conflicts: Errors) -> Invalid:
        errors = _errors_of(self.shape, data, mistyped)
        detail = sentences(errors.pop(api_settings.NON_FIELD_ERRORS_KEY, ()))
        foreign = {name: [FOREIGN] for name in sorted(self.foreign & data.keys())}
        for found in (mistyped, conflicts, foreign):
            for name, texts in found.items():
                errors[name] = [*errors.get(name, ()), *texts]
        errors = {**self._faults(data, errors.keys()), **errors}
        return Invalid(detail, fields=errors)


@cache
def _reader(shape: Shape, partial: bool, around: frozenset[str]) -> Reader:
    return Reader(shape, partial, around)


@cache
def _string_reader(shape: Shape) -> Reader:
    return Reader(shape, partial=False, around=frozenset(), typed=False)


def sentences(texts: Iterable[Any]) -> str | None:
    """Return errors that belong to no field as one detail, or None."""
    return " ".join(str(text) for text in texts) or None


def _errors_of(
    shape: serializers.Serializer[Any], data: Mapping[str, Any], mistyped: Errors
) -> dict[str, Any]:
    """Return what the shape itself says of the data, but for fields of the wrong type."""
    rest = {name: value for name, value in data.items() if name not in mistyped}
    try:
        shape.run_validation(rest if mistyped else data)
    except serializers.ValidationError as error:
        found = as_serializer_error(error)
        return {name: texts for name, texts in found.items() if name not in mistyped}
    return {}


def _unchanged(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return data


def _none(data: Mapping[str, Any], wrong: Collection[str] = ()) -> Errors:
    return {}


def _type_of(field: Any) -> tuple[tuple[type, ...], str] | None:
    found = ((types, expected) for kinds, types, expected in TYPES if isinstance(field, kinds))
    return next(found, None)


def _is_of(value: Any, types: tuple[type, ...]) -> bool:
    # In Python true is a number.
    return isinstance(value, types) and (types == (bool,) or not isinstance(value, bool))


def _name_of(value: Any) -> str:
    return next((name for kind, name in NAMED if isinstance(value, kind)), "null")
