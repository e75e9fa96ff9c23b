"""The tables, to be looked at; nothing is written from here, and no secret or message list is shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest

from chat.models import Device, Event, Membership, Message, Profile, Room


class ReadOnlyAdmin(admin.ModelAdmin):
    """A table that may be read by whom Django's ``view`` permission lets."""

    show_full_result_count = False
    ordering = ["-pk"]
    # What Django 6 does anyway, and 5.2 warns about until it is said.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """People; their account is named by its key only."""

    list_display = ["username", "display_name", "user_id", "direct_from", "created_at"]
    search_fields = ["username", "display_name", "source_key"]
    raw_id_fields = ["user"]


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Where people are signed in, without what a sign-in is made of."""

    list_display = ["id", "profile", "name", "created_at", "seen_at", "ended_at"]
    list_select_related = ["profile"]
    search_fields = ["name", "profile__username"]
    raw_id_fields = ["profile"]
    exclude = ["refresh_jti", "auth_hash"]


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms and how far their logs have come."""

    list_display = ["id", "kind", "title", "visibility", "head", "members_count", "active_at"]
    list_filter = ["kind", "visibility"]
    search_fields = ["title", "key"]
    raw_id_fields = ["created_by"]
    exclude = ["digest"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who is in which room."""

    list_display = ["room", "user", "role", "joined_at", "read_seq", "muted_until"]
    list_select_related = ["room", "user"]
    search_fields = ["user__username", "room__title"]
    raw_id_fields = ["room", "user"]


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages by place and sender; their words only one at a time."""

    list_display = ["id", "room_id", "seq", "version", "sender", "created_at", "deleted_at"]
    list_select_related = ["sender"]
    search_fields = ["sender__username"]
    raw_id_fields = ["room", "sender", "reply_to"]
    exclude = ["digest"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The logs of all rooms, the last event first."""

    list_display = ["room_id", "seq", "type", "actor", "subject", "created_at"]
    list_select_related = ["actor", "subject"]
    list_filter = ["type"]
    search_fields = ["type", "actor__username", "subject__username"]
    raw_id_fields = ["room", "actor", "message", "subject"]
