"""The pages on which the API is clicked through: DRF's own, with ways from a thing to what belongs to it.

The links are in the page alone; the JSON has the shapes of the protocol and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request

# What belongs to a room, in the order in which one needs it.
OF_A_ROOM = (
    ("Room", "room"),
    ("Messages", "history"),
    ("Members", "members"),
    ("Banned", "bans"),
    ("Pinned", "pins"),
    ("Log", "log"),
    ("Read up to", "read"),
    ("How I keep it", "keep"),
    ("Join", "join"),
    ("Leave", "leave"),
)
WITHOUT_GROUP = {"members", "bans", "join", "leave"}
WORDS = 40


class BrowsableRenderer(BrowsableAPIRenderer):
    """Pages that a strict content security policy lets through whole."""

    template = "chat/api.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(
            data, accepted_media_type, renderer_context or {}
        )
        view = context["view"]
        # An inline style, for a markup that our pages do not have.
        context["code_style"] = ""
        context["belonging"], context["opening"] = _belonging(view, data), _opening(view, data)
        return context

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        crumbs: list[tuple[str, str]] = super().get_breadcrumbs(request)
        # What answers for any other path is no page on the way.
        return [(name, url) for name, url in crumbs if name != "Nowhere"]

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        if method == "PATCH" and isinstance(data, dict) and "detail" not in data:
            # What is to be changed begins as it now stands, not as nulls that would be refused.
            current = {name: value for name, value in data.items() if value is not None}
            data = SimpleNamespace(serializer=SimpleNamespace(instance=current, many=False))
        return super().get_raw_data_form(data, view, method, request)


def _belonging(view: Any, data: Any) -> list[tuple[str, str]]:
    """Return title and path of all that belongs to the room that a page is about."""
    told = data if isinstance(data, dict) else {}
    room = view.kwargs.get("room") or told.get("room")
    if not room or not hasattr(view, "link"):
        return []
    direct = told.get("kind") in {"direct", "self"}
    chosen = [(title, name) for title, name in OF_A_ROOM if not (direct and name in WITHOUT_GROUP)]
    return [(title, view.link(name, room)) for title, name in chosen]


def _opening(view: Any, data: Any) -> list[tuple[str, str]]:
    """Return what a list's rows are called, and where each is."""
    rows = data.get("results") if isinstance(data, dict) else None
    return [_row(view, row) for row in rows or () if isinstance(row, dict) and _kind(row)]


def _kind(row: dict[str, Any]) -> str | None:
    marks = {
        "slow_mode": "room",
        "text": "message",
        "role": "member",
        "by": "ban",
        "username": "user",
    }
    return next((name for mark, name in marks.items() if mark in row), None)


def _row(view: Any, row: dict[str, Any]) -> tuple[str, str]:
    match _kind(row):
        case "room":
            peer = row.get("peer") or {}
            title = row["title"] or peer.get("display_name") or "Notes to myself"
            return title, view.link("history" if row.get("me") else "room", row["id"])
        case "message":
            return f"{row['seq']} · {row['text'][:WORDS]}", view.link("message", row["id"])
        case "member":
            person = row["user"]
            here = view.link("member", view.kwargs["room"], person["id"])
            return f"{person['display_name']}, {row['role']}", here
        case "ban":
            person = row["user"]
            return person["display_name"], view.link("ban", view.kwargs["room"], person["id"])
    return f"{row['display_name']} · {row['id']}", view.link("user", row["id"])
