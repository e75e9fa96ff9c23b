"""What happened: the logs of all rooms, and what staff did and why."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from chat.admin.filters import TypeFilter
from chat.admin.links import NOBODY, linked, row_url, seats
from chat.admin.tables import ReadOnlyAdmin
from chat.models import Event, Message, ModerationEntry, Profile, Room


def _message(message: Message | None) -> str:
    if message is None:
        return NOBODY
    return format_html('<a href="{}">№ {}</a>', row_url(message), message.seq)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The logs of all rooms, the last event first."""

    list_display = ["place", "in_room", "type", "done_by", "concerns", "about", "created_at"]
    rooms = ("room",)
    search_help_text = "The beginning of the room's title, or the id of a room."
    narrowed_by = {"room": Room}
    narrow_filter = [TypeFilter]
    narrow_ordering = ["-seq"]
    fields = ["in_room", "seq", "type", "done_by", "concerns", "about", "data", "created_at"]
    readonly_fields = ["in_room", "done_by", "concerns", "about"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("room", "actor", "subject", "message")
        return rows.defer("message__text").prefetch_related(seats("room__memberships"))

    @admin.display(description="seq")
    def place(self, row: Event) -> str:
        return f"№\N{NO-BREAK SPACE}{row.seq}"

    @admin.display(description="room")
    def in_room(self, row: Event) -> str:
        return linked(row.room)

    @admin.display(description="actor")
    def done_by(self, row: Event) -> str:
        return linked(row.actor)

    @admin.display(description="person")
    def concerns(self, row: Event) -> str:
        return linked(row.subject)

    @admin.display(description="message")
    def about(self, row: Event) -> str:
        return _message(row.message)


@admin.register(ModerationEntry)
class ModerationEntryAdmin(ReadOnlyAdmin):
    """What staff did, to what and whom, and why; the last first."""

    list_display = ["created_at", "done_by", "verb", "concerns", "in_room", "about", "reason"]
    people = ("actor", "subject")
    rooms = ("room",)
    narrowed_by = {"room": Room, "subject": Profile, "actor": Profile}
    list_filter = ["verb", "created_at"]
    fields = [
        "created_at",
        "done_by",
        "verb",
        "concerns",
        "in_room",
        "seq",
        "about",
        "reason",
        "data",
    ]
    readonly_fields = ["done_by", "concerns", "in_room", "about"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("room", "actor", "subject", "message")
        return rows.defer("message__text").prefetch_related(seats("room__memberships"))

    @admin.display(description="by")
    def done_by(self, row: ModerationEntry) -> str:
        return linked(row.actor)

    @admin.display(description="person")
    def concerns(self, row: ModerationEntry) -> str:
        return linked(row.subject)

    @admin.display(description="room")
    def in_room(self, row: ModerationEntry) -> str:
        # The row may be purged; its key is remembered.
        return linked(row.room) if row.room else str(row.room_id or NOBODY)

    @admin.display(description="message")
    def about(self, row: ModerationEntry) -> str:
        return _message(row.message) if row.message else str(row.message_id or NOBODY)
