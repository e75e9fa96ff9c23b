"""How things are called and linked to: by the name that people know them by."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model, Prefetch
from django.urls import reverse
from django.utils.html import format_html

from chat.models import Ban, Device, Event, Membership, Message, Room

NOBODY = "–"
NAME_MAX = 60


def seats(path: str = "memberships") -> Prefetch:
    """Load who is in the rooms that have no title of their own: the pairs and the own logs, never a group."""
    few = Membership.objects.exclude(room__kind=Room.Kind.GROUP).select_related("user")
    return Prefetch(path, queryset=few.order_by("pk"), to_attr="named_by")


def room_name(room: Room) -> str:
    """Return what a room is called: its title, or the people it belongs to where ``seats`` were loaded."""
    if room.title:
        return cut(room.title)
    names = [str(seat.user) for seat in getattr(room, "named_by", ())]
    if not names:
        return str(room)
    return f"{names[0]}’s own log" if room.kind == Room.Kind.SELF else " · ".join(names)


def name_of(row: Any) -> str:
    """Return what a row is called."""
    match row:
        case Room():
            return room_name(row)
        case Message():
            return f"№ {row.seq} by {row.sender or 'the room'} in {room_name(row.room)}"
        case Membership():
            return f"{row.user} in {room_name(row.room)}"
        case Ban():
            return f"{row.user}, banned from {room_name(row.room)}"
        case Event():
            return f"{row.type}, № {row.seq} in {room_name(row.room)}"
        case Device():
            return f"{row.name or 'unnamed'} of {row.profile}"
    return str(row)


def cut(text: str, most: int = NAME_MAX) -> str:
    """Return the beginning of a long text."""
    return text if len(text) <= most else text[: most - 1] + "…"


def row_url(row: Model) -> str:
    """Return the address of a row's own page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[quote(row.pk)])


def linked(row: Any) -> str:
    """Return a row's name as a link to its page; a row that is not there is a dash."""
    if row is None:
        return NOBODY
    return format_html('<a href="{}"><bdi>{}</bdi></a>', row_url(row), name_of(row))


def list_url(table: type[Model], **narrowed: Any) -> str:
    """Return the address of a table, narrowed to what belongs to a row: ``list_url(Message, room=room)``."""
    query = {f"{field}__id__exact": row.pk for field, row in narrowed.items()}
    address = reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def list_link(label: str, table: type[Model], **narrowed: Any) -> str:
    """Return a link to a table, narrowed to what belongs to a row."""
    return format_html('<a href="{}">{}</a>', list_url(table, **narrowed), label)
