"""Filters that say what they mean, and look nothing up to offer it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chat.events import EVENTS


class TypeFilter(admin.SimpleListFilter):
    """By the catalogue: what types there are in a log would have to be looked for in all of it."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name, event in EVENTS.items() if event.log]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(type=self.value()) if self.value() else queryset


class SuspendedFilter(admin.SimpleListFilter):
    """People whose suspension holds now, or the others; one that has ended by itself does not count."""

    title = "suspended"
    parameter_name = "suspended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        endless = Q(suspended_until=None) | Q(suspended_until__gt=timezone.now())
        holds = Q(suspended_at__isnull=False) & endless
        chosen = {"yes": holds, "no": ~holds}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


def whether(said: str, field: str) -> type[admin.SimpleListFilter]:
    """Return a filter by whether a field has a value: ``whether("deleted", "deleted_at")``."""

    class Whether(admin.SimpleListFilter):
        title = said
        parameter_name = said.replace(" ", "_")

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("yes", "Yes"), ("no", "No")]

        def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
            if self.value() not in {"yes", "no"}:
                return queryset
            return queryset.filter(**{f"{field}__isnull": self.value() == "no"})

    return Whether
