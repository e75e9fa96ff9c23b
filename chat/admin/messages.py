"""What people said: in lists by place and sender, in words only one at a time, and each look is noted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import linebreaks_filter
from django.utils.html import format_html

from chat.actions.moderation import moderate_delete_message, note_message_read
from chat.admin.acting import acting, moderator
from chat.admin.filters import whether
from chat.admin.links import NOBODY, linked, list_url, row_url, seats
from chat.admin.tables import Link, ReadOnlyAdmin
from chat.models import Event, Message, ModerationEntry, Profile, Room

TEXT_SHOWN = 2_000


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages by place and sender; their words only one at a time."""

    list_display = ["place", "said_by", "in_room", "kind", "created_at", "state"]
    people = ("sender",)
    rooms = ("room",)
    search_help_text = (
        "Who said it, the beginning of the room's title, or an id. Words are not searched."
    )
    narrowed_by = {"room": Room, "sender": Profile}
    narrow_filter = ["kind", whether("deleted", "deleted_at")]
    fields = [
        "id",
        "in_room",
        "seq",
        "version",
        "said_by",
        "words",
        "answers",
        "metadata",
        "created_at",
        "edited_at",
        "deleted_at",
        "pinned_at",
    ]
    readonly_fields = ["id", "in_room", "said_by", "words", "answers"]
    actions = [
        acting(
            "delete_messages",
            "Delete messages…",
            "Deleted",
            lambda staff, row, said: moderate_delete_message(staff, row.pk, said["reason"]),
            says="The words are gone for good, for everyone and at once; the place in the room stays.",
            one="Delete message…",
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("room", "sender")
        return rows.defer("text", "metadata").prefetch_related(seats("room__memberships"))

    def get_ordering(self, request: HttpRequest) -> Any:
        # Within a room its own order, which has an index; of a person the ids, which go by time.
        return ["-seq"] if request.GET.get("room__id__exact") else ["-pk"]

    @admin.display(description="message")
    def place(self, row: Message) -> str:
        return f"№\N{NO-BREAK SPACE}{row.seq}"

    @admin.display(description="sender")
    def said_by(self, row: Message) -> str:
        return linked(row.sender) if row.sender else "the room"

    @admin.display(description="room")
    def in_room(self, row: Message) -> str:
        return linked(row.room)

    @admin.display(description="state", empty_value="-")
    def state(self, row: Message) -> str | None:
        return "deleted" if row.deleted_at else "edited" if row.edited_at else None

    @admin.display(description="text")
    def words(self, row: Message) -> str:
        if row.deleted_at:
            return "deleted"
        more = len(row.text) - TEXT_SHOWN
        rest = f" … and {more} more characters" if more > 0 else ""
        shown = linebreaks_filter(row.text[:TEXT_SHOWN], autoescape=True)
        return format_html('<div dir="auto">{}</div>{}', shown, rest)

    @admin.display(description="answers")
    def answers(self, row: Message) -> str:
        quoted = row.reply_to
        if quoted is None:
            return NOBODY
        return format_html('<a href="{}">№ {}</a>', row_url(quoted), quoted.seq)

    def links(self, request: HttpRequest, row: Message) -> list[Link]:
        return [
            ("Messages of the room", list_url(Message, room=row.room)),
            ("Log of the room", list_url(Event, room=row.room)),
            ("Moderation of the room", list_url(ModerationEntry, room=row.room)),
        ]

    def acts(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [] if row.deleted_at else super().acts(request, row)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Note that this person looked, before the words are shown: no note, no words."""
        note_message_read(moderator(request), kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)
