"""The pages on which the API is clicked through: DRF's own, with ways from a thing to what belongs to it.

The links are in the page alone; the JSON has the shapes of the protocol and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import get_user
from django.utils import translation
from django.utils.html import format_html, format_html_join
from rest_framework.authentication import SessionAuthentication
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request

from chat.conf import authenticators
from chat.errors import LANGUAGE
from chat.rest.parameters import names_of
from chat.rest.paths import path_of

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
# What is called so answers for any other path.
NOWHERE = "Not found"
SEARCH = "?search="
CODE = re.compile("`([^`]+)`")


class BrowsableRenderer(BrowsableAPIRenderer):
    """Pages that a strict content security policy lets through whole."""

    template = "chat/api.html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        # The texts of the chat are English, so DRF's own must not be in another language beside them.
        with translation.override(LANGUAGE):
            return super().render(data, accepted_media_type, renderer_context)

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
        context |= _standing(view.request, context["user"])
        context["ways"] = _ways(view, context["user"])
        context["searches"], context["search"] = _searches(view), _search(view)
        status = context["response"].status_code
        context["only_done"] = status == 405 and view.request.method == "GET"
        context["shut"] = status == 401
        return context

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        crumbs: list[tuple[str, str]] = super().get_breadcrumbs(request)
        # What answers for any other path is no page on the way.
        return [(name, url) for name, url in crumbs if name != NOWHERE]

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        if method == "PATCH" and isinstance(data, dict) and "detail" not in data:
            # What is to be changed begins as it now stands, not as nulls that would be refused.
            current = {name: value for name, value in data.items() if value is not None}
            data = SimpleNamespace(serializer=SimpleNamespace(instance=current, many=False))
        return super().get_raw_data_form(data, view, method, request)


def described(texts: Mapping[str, str]) -> str:
    """Return the texts of a page's operations as HTML: by method, but for the first without it."""
    first = next(iter(texts), None)
    paragraphs = (
        (_method(method) if method != first and not at else "", with_code(one))
        for method, text in texts.items()
        for at, one in enumerate(text.split("\n\n"))
    )
    return format_html_join("\n", "<p>{}{}</p>", paragraphs)


def _method(method: str) -> str:
    return format_html("<strong>{}</strong> ", method.upper())


def with_code(said: str) -> str:
    """Return a text as HTML, with what stands in backticks as code."""
    parts = enumerate(CODE.split(said))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", one) if at % 2 else one,) for at, one in parts)
    )


def takes_sessions() -> bool:
    """Say whether somebody is known here by the session of Django's own sign-in."""
    return any(isinstance(one, SessionAuthentication) for one in authenticators())


def _standing(request: Request, user: Any) -> dict[str, Any]:
    """Return whom these pages take one for, also where a view looks at no sign-in, and how one gets in."""
    sessions = takes_sessions()
    if sessions and not user.is_authenticated and hasattr(request._request, "session"):
        user = get_user(request._request)
    return {"user": user, "sessions": sessions, "tokens": path_of("chat_auth:token")}


def _ways(view: Any, user: Any) -> list[tuple[str, str]]:
    """Return title and path of what one looks for on a page and its answer does not name."""
    here = view.request.resolver_match
    name = here.url_name if here else None
    found = []
    if not user.is_authenticated:
        found.append(("Make an account", path_of("chat_auth:register")))
    if name in {"root", "rooms", "groups"}:
        found.append(("Public directory", view.link("groups") + SEARCH))
    if name in {"members", "bans", "direct"}:
        found.append(("Find a person", view.link("users") + SEARCH))
    if name == "root" and user.is_authenticated:
        found.append(("My devices", path_of("chat_auth:devices")))
    return [(title, path) for title, path in found if path]


def _searches(view: Any) -> bool:
    """Return whether the list on a page can be searched."""
    shapes = view.query_shapes(view.action) if view.request.method == "GET" else ()
    return any("search" in names_of(shape) for shape in shapes)


def _search(view: Any) -> str:
    words: str = view.request.query_params.get("search", "")
    return words


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
    """Return what a list's rows are called, or what was just made, and where each is."""
    told = data if isinstance(data, dict) else {}
    if view.request.method == "POST" and _kind(told) in {"room", "message"}:
        return [_row(view, told)]
    rows = told.get("results")
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
            title = row["title"] or (_name(peer) if peer else "Notes to myself")
            return title, view.link("history" if row.get("me") else "room", row["id"])
        case "message":
            return f"{row['seq']} · {row['text'][:WORDS]}", view.link("message", row["id"])
        case "member":
            person = row["user"]
            here = view.link("member", view.kwargs["room"], person["id"])
            if view.request.resolver_match.url_name == "room-members":
                # A direct room has no page for each of its two members.
                here = view.link("user", person["id"])
            return f"{_name(person)}, {row['role']}", here
        case "ban":
            person = row["user"]
            return _name(person), view.link("ban", view.kwargs["room"], person["id"])
    return f"{_name(row)} · {row['id']}", view.link("user", row["id"])


def _name(user: dict[str, Any]) -> str:
    return "Deleted account" if user["deleted"] else str(user["display_name"])
