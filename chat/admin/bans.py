"""Who is kept out of which room."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.actions.moderation import moderate_unban_member
from chat.admin.acting import acting
from chat.admin.links import linked, list_url
from chat.admin.tables import Link, ReadOnlyAdmin
from chat.models import Ban, Event, Membership, ModerationEntry, Profile, Room


def _lift(staff: Profile, row: Ban, said: dict[str, Any]) -> bool:
    moderate_unban_member(staff, row.room_id, row.user_id, said["reason"])
    return True


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    """Bans that were not lifted; why staff set one stands in the moderation entries."""

    list_display = ["person", "in_room", "banned_by", "created_at"]
    list_display_links = ["created_at"]
    people = ("user",)
    rooms = ("room",)
    narrowed_by = {"room": Room, "user": Profile}
    fields = ["person", "in_room", "banned_by", "reason", "created_at"]
    readonly_fields = ["person", "in_room", "banned_by"]
    actions = [
        acting(
            "lift_bans",
            "Lift bans…",
            "Bans lifted",
            _lift,
            says="They can join or be added again; nobody is put back by it.",
            one="Lift ban…",
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("room", "user", "by")

    @admin.display(description="person")
    def person(self, row: Ban) -> str:
        return linked(row.user)

    @admin.display(description="room")
    def in_room(self, row: Ban) -> str:
        return linked(row.room)

    @admin.display(description="by")
    def banned_by(self, row: Ban) -> str:
        return linked(row.by)

    def links(self, request: HttpRequest, row: Ban) -> list[Link]:
        return [
            ("Members of the room", list_url(Membership, room=row.room)),
            ("Log of the room", list_url(Event, room=row.room)),
            ("Moderation of the person", list_url(ModerationEntry, subject=row.user)),
        ]
