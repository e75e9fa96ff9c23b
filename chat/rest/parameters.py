"""What may be asked in a query string; a blank parameter is as good as none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from chat.conf import chat_settings
from chat.errors import Invalid
from chat.serializers.fields import SeqField
from chat.serializers.reading import read_strings

Shape = type[serializers.Serializer[Any]]

EDGES = ("before", "after", "around")
# Characters of an unknown name that an error repeats.
NAME_MAX = 50


class LimitField(serializers.IntegerField):
    """How many rows; more than ``CHAT["PAGE_MAX"]`` is that many."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", "Rows to return; a larger number returns as many as a page can hold."
        )
        super().__init__(min_value=1, default=lambda: chat_settings.PAGE_SIZE, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        most: int = chat_settings.PAGE_MAX
        return min(super().to_internal_value(data), most)


class PageParameters(serializers.Serializer[Any]):
    """A page of a list."""

    limit = LimitField()
    cursor = serializers.CharField(
        required=False, max_length=1000, help_text="A page, as `next` or `previous` names it."
    )


class SearchParameters(serializers.Serializer[Any]):
    """Words to look for."""

    search = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="Words to search for in names."
    )


class MemberParameters(SearchParameters):
    """Filters for the members of a room."""

    role = serializers.ChoiceField(
        choices=["owner", "admin", "moderator", "member"], required=False
    )


class DirectoryParameters(serializers.Serializer[Any]):
    """Words to look for among the public groups."""

    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="Words to search for in public groups. An empty value lists all public groups.",
    )


class InboxParameters(SearchParameters):
    """Which of one's rooms."""

    kind = serializers.ChoiceField(
        choices=["group", "direct", "self"], required=False, help_text="Only rooms of this kind."
    )
    archived = serializers.BooleanField(
        required=False, help_text="Only archived rooms, or only the others."
    )


class HistoryParameters(serializers.Serializer[Any]):
    """A stretch of a history: before, after or around one place, or its newest."""

    before = SeqField(required=False, help_text="Only messages with a lower `seq`.")
    after = SeqField(required=False, help_text="Only messages with a higher `seq`.")
    around = SeqField(required=False, help_text="Messages on both sides of this `seq`.")
    limit = LimitField()

    def conflicts(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return an error for each place beyond the first."""
        _, *more = [name for name in EDGES if name in data] or [""]
        return {name: ["Give only one of before, after and around."] for name in more}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        edge = next((name for name in EDGES if name in attrs), None)
        place = {"edge": edge, "seq": attrs[edge]} if edge else {}
        return {**place, "limit": attrs["limit"]}


class LogParameters(serializers.Serializer[Any]):
    """A stretch of a log, from a cursor on."""

    after = SeqField(default=0, help_text="Only events with a higher `seq`.")
    limit = LimitField()


def read_query(
    query: QueryDict, shapes: Iterable[Shape], known: Iterable[str]
) -> dict[Shape, dict[str, Any]]:
    """Return the query string in each shape. Raises Invalid with all errors of the query string."""
    errors: dict[str, Any] = _unknown(query, sorted(known))
    found = {}
    for shape in shapes:
        given = {name: str(query[name]) for name in names_of(shape) if query.get(name)}
        try:
            found[shape] = read_strings(shape, given)
        except Invalid as refusal:
            errors |= refusal.fields or {}
    if errors:
        raise Invalid(fields=errors)
    return found


@cache
def names_of(shape: Shape) -> tuple[str, ...]:
    """Return the names of the parameters of a shape."""
    return tuple(shape().fields)


def _unknown(query: QueryDict, known: list[str]) -> dict[str, list[str]]:
    names = (name for name in query if name not in known)
    # A query string may hold a thousand names, and each comparison costs time.
    return {name[:NAME_MAX]: [_unknown_text(name[:NAME_MAX], known)] for name in islice(names, 10)}


def _unknown_text(name: str, known: list[str]) -> str:
    text = f"Unknown parameter `{name}`."
    near = get_close_matches(name, known, 1)
    return f"{text} Did you mean `{near[0]}`?" if near else text
