"""What may be asked in a query string; a blank parameter is as good as none."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from chat.conf import chat_settings
from chat.serializers.fields import SeqField

EDGES = ("before", "after", "around")


class LimitField(serializers.IntegerField):
    """How many rows; more than ``CHAT["PAGE_MAX"]`` is that many."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "How many; the most that a page holds, if more.")
        super().__init__(min_value=1, default=lambda: chat_settings.PAGE_SIZE, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        most: int = chat_settings.PAGE_MAX
        return min(super().to_internal_value(data), most)


class PageParameters(serializers.Serializer[Any]):
    """A page of a list."""

    limit = LimitField()
    cursor = serializers.CharField(required=False, max_length=1000)


class SearchParameters(serializers.Serializer[Any]):
    """Words to look for."""

    search = serializers.CharField(default="", allow_blank=True, max_length=100)


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
        help_text="Also an empty one asks for the public directory; without it, my groups.",
    )


class InboxParameters(SearchParameters):
    """Which of one's rooms."""

    kind = serializers.ChoiceField(choices=["group", "direct", "self"], required=False)
    archived = serializers.BooleanField(required=False)


class HistoryParameters(serializers.Serializer[Any]):
    """A stretch of a history: before, after or around one place, or its newest."""

    before = SeqField(required=False)
    after = SeqField(required=False)
    around = SeqField(required=False)
    limit = LimitField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        edges = [name for name in EDGES if name in attrs]
        if len(edges) > 1:
            raise serializers.ValidationError("Ask before, after or around a place, one of them.")
        place = {"edge": edges[0], "seq": attrs[edges[0]]} if edges else {}
        return {**place, "limit": attrs["limit"]}


class LogParameters(serializers.Serializer[Any]):
    """A stretch of a log, from a cursor on."""

    after = SeqField(default=0)
    limit = LimitField()


def asked(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the query string as the shape has it; other parameters are ignored. Raises ValidationError."""
    given = {name: value for name, value in request.query_params.items() if value}
    parameters = shape(data=given)
    parameters.is_valid(raise_exception=True)
    found: dict[str, Any] = parameters.validated_data
    return found
