"""Rooms and who is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from chat.actions.moderation import (
    moderate_ban_member,
    moderate_change_role,
    moderate_freeze_room,
    moderate_remove_member,
)
from chat.admin.acting import RoleForm, acting
from chat.admin.filters import whether
from chat.admin.links import linked, list_link, list_url, room_name, seats
from chat.admin.tables import Link, ReadOnlyAdmin
from chat.models import Ban, Event, Membership, Message, ModerationEntry, Profile, Room

# What narrows the list of memberships to where own logs are no noise.
ASKED = {"room__id__exact", "user__id__exact", "q"}


def _remove(staff: Profile, row: Membership, said: dict[str, Any]) -> bool:
    moderate_remove_member(staff, row.room_id, row.user_id, said["reason"])
    return True


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms and how far their logs have come."""

    list_display = [
        "name",
        "belongings",
        "kind",
        "visibility",
        "state",
        "members_count",
        "head",
        "active_at",
    ]
    list_filter = ["kind", "visibility", "frozen", whether("deleted", "deleted_at")]
    search_fields = ["title__istartswith", "key__exact"]
    search_help_text = "The beginning of a title, a key, or an id."
    exclude = ["digest", "created_by"]
    readonly_fields = ["id", "opened_by"]
    actions = [
        acting(
            "freeze_rooms",
            "Freeze rooms…",
            "Frozen",
            lambda staff, row, said: moderate_freeze_room(staff, row.pk, said["reason"]),
            says="Only a room's own moderators, admins and owners can write while it is frozen.",
            one="Freeze room…",
        ),
        acting(
            "unfreeze_rooms",
            "Unfreeze rooms…",
            "Unfrozen",
            lambda staff, row, said: moderate_freeze_room(
                staff, row.pk, said["reason"], frozen=False
            ),
            one="Unfreeze room…",
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related(seats()).select_related("created_by")

    @admin.display(description="room", ordering="title")
    def name(self, row: Room) -> str:
        return format_html("<bdi>{}</bdi>", room_name(row))

    @admin.display(description="state")
    def state(self, row: Room) -> str:
        return "deleted" if row.deleted_at else "frozen" if row.frozen else "open"

    @admin.display(description="created by")
    def opened_by(self, row: Room) -> str:
        return linked(row.created_by)

    @admin.display(description="has")
    def belongings(self, row: Room) -> str:
        return format_html(
            "{} · {} · {}",
            list_link("messages", Message, room=row),
            list_link("members", Membership, room=row),
            list_link("log", Event, room=row),
        )

    def links(self, request: HttpRequest, row: Room) -> list[Link]:
        return [
            ("Messages", list_url(Message, room=row)),
            ("Members", list_url(Membership, room=row)),
            ("Banned", list_url(Ban, room=row)),
            ("Log", list_url(Event, room=row)),
            ("Moderation", list_url(ModerationEntry, room=row)),
        ]

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        if row.kind != Room.Kind.GROUP or row.deleted_at:
            return []
        unfit = "freeze_rooms" if row.frozen else "unfreeze_rooms"
        return [act for act in super().acts(request, row) if act[0] != unfit]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is in which room."""

    list_display = ["person", "in_room", "role", "joined_at", "read_seq", "muted_until"]
    list_display_links = ["role"]
    people = ("user",)
    rooms = ("room",)
    narrowed_by = {"room": Room, "user": Profile}
    narrow_filter = ["role", whether("silenced", "muted_until")]
    fields = [
        "person",
        "in_room",
        "role",
        "joined_at",
        "history_from",
        "read_seq",
        "unread_from",
        "muted_until",
        "notify",
        "pinned",
        "archived",
    ]
    readonly_fields = ["person", "in_room"]
    actions = [
        acting(
            "remove_members",
            "Remove from the room…",
            "Removed",
            _remove,
            says="Their open sockets hear nothing of the room any more. To a public room they can come back.",
        ),
        acting(
            "ban_members",
            "Ban from the room…",
            "Banned",
            lambda staff, row, said: moderate_ban_member(
                staff, row.room_id, row.user_id, said["reason"]
            ),
            says="They are removed, and cannot join or be added until the ban is lifted.",
        ),
        acting(
            "change_role",
            "Change role…",
            "Roles changed",
            lambda staff, row, said: moderate_change_role(
                staff, row.room_id, row.user_id, said["role"], said["reason"]
            ),
            form=RoleForm,
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("room", "user")
        here = request.resolver_match
        listing = here is not None and (here.url_name or "").endswith("_changelist")
        if listing and not ASKED & request.GET.keys():
            # Everybody is in the log of their own, and nobody else is.
            rows = rows.exclude(room__kind=Room.Kind.SELF)
        return rows.prefetch_related(seats("room__memberships"))

    @admin.display(description="person")
    def person(self, row: Membership) -> str:
        return linked(row.user)

    @admin.display(description="room")
    def in_room(self, row: Membership) -> str:
        return linked(row.room)

    def links(self, request: HttpRequest, row: Membership) -> list[Link]:
        return [
            ("Messages of the room", list_url(Message, room=row.room)),
            ("Moderation of the person", list_url(ModerationEntry, subject=row.user)),
        ]

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return super().acts(request, row) if row.room.kind == Room.Kind.GROUP else []
