"""Lists by cursor: a page costs the same wherever it lies."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import DateTimeField, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
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
        # Read by decode_cursor, which is given the request alone.
        self._by_time = _orders_by_time(queryset)
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
        if cursor is not None and self._by_time and not _is_moment(str(cursor.position or "")):
            raise forged_cursor()
        return cursor


def _orders_by_time(queryset: QuerySet[Any]) -> bool:
    name = str(queryset.query.order_by[0]).lstrip("-")
    annotation = queryset.query.annotations.get(name)
    field = annotation.output_field if annotation else queryset.model._meta.get_field(name)
    return isinstance(field, DateTimeField)


def _is_moment(position: str) -> bool:
    """Say whether a position is none, or a time with its zone: Django warns of any other, and takes it."""
    try:
        moment = parse_datetime(position) if position else None
    except ValueError:
        return False
    return not position or (moment is not None and is_aware(moment))


def forged_cursor() -> Invalid:
    """Return the refusal of a cursor that no answer named."""
    return Invalid(fields={"cursor": ["This cursor was not given out here."]})
