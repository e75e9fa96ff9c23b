"""People and where they are signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.timezone import localtime

from chat.actions.moderation import lift_suspension, moderate_end_devices, suspend
from chat.admin.acting import SuspensionForm, acting
from chat.admin.filters import SuspendedFilter, whether
from chat.admin.links import linked, list_link, list_url
from chat.admin.tables import Link, ReadOnlyAdmin
from chat.models import Ban, Device, Membership, Message, ModerationEntry, Profile


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """People; their account is named by its key only."""

    list_display = [
        "person",
        "display_name",
        "belongings",
        "account",
        "direct_from",
        "suspension",
        "groups_from",
        "created_at",
    ]
    search_fields = ["username__istartswith", "display_name__istartswith", "source_key__exact"]
    search_help_text = "The beginning of a handle or name, a source key, or an id."
    list_filter = [
        whether("with an account", "user"),
        whether("deleted", "deleted_at"),
        "direct_from",
        SuspendedFilter,
    ]
    raw_id_fields = ["user"]
    exclude = ["user"]
    readonly_fields = ["account"]
    actions = [
        acting(
            "end_all_devices",
            "End all devices…",
            "Devices ended of people",
            lambda staff, row, said: moderate_end_devices(staff, row.pk, said["reason"]),
            says="Their tokens fail at once and their open sockets close. They may sign in again.",
        ),
        acting(
            "suspend_people",
            "Suspend people…",
            "People suspended",
            lambda staff, row, said: suspend(
                staff, row, said["reason"], said["until"], note=said["note"]
            ),
            form=SuspensionForm,
            says="They may sign in, read and leave rooms; every other write is refused at once.",
            one="Suspend person…",
        ),
        acting(
            "lift_suspensions",
            "Lift suspensions…",
            "Suspensions lifted",
            lambda staff, row, said: lift_suspension(staff, row, said["reason"]),
            says="They can write again at once.",
            one="Lift suspension…",
        ),
    ]

    @admin.display(description="username", ordering="username")
    def person(self, row: Profile) -> str:
        return str(row)

    @admin.display(description="account")
    def account(self, row: Profile) -> str:
        return "none" if row.user_id is None else str(row.user_id)

    @admin.display(description="suspended")
    def suspension(self, row: Profile) -> str:
        if not row.is_suspended:
            return ""
        end = row.suspended_until
        return f"until {localize(localtime(end))}" if end else "until it is lifted"

    @admin.display(description="has")
    def belongings(self, row: Profile) -> str:
        return format_html(
            "{} · {} · {}",
            list_link("rooms", Membership, user=row),
            list_link("messages", Message, sender=row),
            list_link("devices", Device, profile=row),
        )

    def links(self, request: HttpRequest, row: Profile) -> list[Link]:
        return [
            ("Rooms", list_url(Membership, user=row)),
            ("Messages", list_url(Message, sender=row)),
            ("Devices", list_url(Device, profile=row)),
            ("Banned from", list_url(Ban, user=row)),
            ("Done to them", list_url(ModerationEntry, subject=row)),
            ("Done by them", list_url(ModerationEntry, actor=row)),
        ]

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        unfit = "suspend_people" if row.is_suspended else "lift_suspensions"
        return [act for act in super().acts(request, row) if act[0] != unfit]


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Where people are signed in, without what a sign-in is made of."""

    list_display = ["label", "person", "created_at", "seen_at", "ended_at"]
    list_select_related = ["profile"]
    ordering = ["-created_at"]
    people = ("profile",)
    narrowed_by = {"profile": Profile}
    list_filter = [whether("ended", "ended_at")]
    fields = ["id", "person", "name", "created_at", "seen_at", "ended_at"]
    readonly_fields = ["id", "person", "created_at", "seen_at"]
    actions = [
        acting(
            "end_devices",
            "End these devices…",
            "Devices ended",
            lambda staff, row, said: moderate_end_devices(
                staff, row.profile_id, said["reason"], [row.pk]
            ),
            says="Their tokens fail at once and their open sockets close.",
            one="End this device…",
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("profile")

    @admin.display(description="device", ordering="name")
    def label(self, row: Device) -> str:
        return row.name or "unnamed"

    @admin.display(description="person")
    def person(self, row: Device) -> str:
        return linked(row.profile)

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [] if row.ended_at else super().acts(request, row)
