"""Lists by cursor: a page costs the same wherever it lies."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from chat.errors import Invalid


class Pages(CursorPagination):
    """``{next, previous, results}`` over a queryset, in the order that the query gave it."""

    page_size_query_param = "limit"
    limit: int

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, OverflowError, DataError):
            # The place that a forged cursor names is no value of the ordering's column.
            raise forged_cursor() from None

    def get_page_size(self, request: Request) -> int:
        return self.limit

    def get_ordering(
        self, request: Request, queryset: QuerySet[Any], view: APIView | None
    ) -> tuple[str, ...]:
        return tuple(str(field) for field in queryset.query.order_by)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise forged_cursor() from None
        if cursor is not None and "\x00" in str(cursor.position or ""):
            raise forged_cursor()
        return cursor


def forged_cursor() -> Invalid:
    """Return the refusal of a cursor that no answer named."""
    return Invalid(fields={"cursor": ["This cursor was not given out here."]})
