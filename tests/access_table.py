"""Who may do what at every door: a row for each operation and each thing it may be done to.

A cell is the status of the answer; on a socket that of its error's code, and 200 for `done`. `---`: there is no such
person in such a room. Outsiders of a private room are told that there is none, whatever they ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ROLES = (
    "nobody",  # not signed in
    "stranger",  # in no room
    "former",  # was in the room and left
    "banned",  # was put out of it, and is kept out
    "elsewhere",  # owns other rooms
    "staff",  # may moderate, by way of the admin, and is in no room
    "member",
    "moderator",
    "admin",
    "owner",
)
PLACES = ("public", "private", "direct", "anywhere")


@dataclass(frozen=True)
class Row:
    """An operation with its body; what it answers in a public group, a private one, a direct room, or without a room.

    In braces stand {room}, {message} (a plain member's), {own} (one's own, of whoever was ever in the room) and people:
    {me}, {other} (a plain member), {deputy} (an admin), {owner}, {banned}, {newcomer} (in no room), and {device} and
    {others_device}.
    """

    operation: str
    body: Any = None
    public: str = ""
    private: str = ""
    direct: str = ""
    anywhere: str = ""

    def cells(self, place: str) -> dict[str, int]:
        """Return the expected status of each role at a place."""
        told = getattr(self, place).split()
        assert len(told) == len(ROLES), f"{self.operation} {place}: {len(told)} cells"
        paired = zip(ROLES, told, strict=True)
        return {role: int(status) for role, status in paired if status != "---"}


# What many rows have in common.      nobody stranger former banned elsewhere staff  member moderator admin owner
ALL = {"anywhere": "200 200 200 200 200 200  200 200 200 200"}
SIGNED_IN = {"anywhere": "401 200 200 200 200 200  200 200 200 200"}
MEMBERS = {
    "public": "401 403 403 403 403 403  200 200 200 200",
    "private": "401 404 404 404 404 404  200 200 200 200",
    "direct": "401 404 --- --- 404 404  200 --- --- ---",
}
ANYONE_SEES = {**MEMBERS, "public": "401 200 200 200 200 200  200 200 200 200"}
WRITERS = {
    "public": "401 403 403 403 403 403  201 201 201 201",
    "private": "401 404 404 404 404 404  201 201 201 201",
    "direct": "401 404 --- --- 404 404  201 --- --- ---",
}
MODERATORS = {
    "public": "401 403 403 403 403 403  403 200 200 200",
    "private": "401 404 404 404 404 404  403 200 200 200",
    "direct": "401 404 --- --- 404 404  403 --- --- ---",
}
ADMINS = {
    "public": "401 403 403 403 403 403  403 403 200 200",
    "private": "401 404 404 404 404 404  403 403 200 200",
    "direct": "401 404 --- --- 404 404  403 --- --- ---",
}
OWNERS = {
    "public": "401 403 403 403 403 403  403 403 403 200",
    "private": "401 404 404 404 404 404  403 403 403 200",
    "direct": "401 404 --- --- 404 404  403 --- --- ---",
}
NO_MEMBER = {
    "public": "401 403 403 403 403 403  403 403 403 403",
    "private": "401 404 404 404 404 404  403 403 403 403",
    "direct": "401 404 --- --- 404 404  403 --- --- ---",
}
NO_ROOM = "401 404 --- --- 404 404  404 --- --- ---"
PINNERS = {**MODERATORS, "direct": MEMBERS["direct"]}


def gone(cells: dict[str, str]) -> dict[str, str]:
    """The same people, who are answered 204."""
    return {place: told.replace("200", "204") for place, told in cells.items()}


def made(cells: dict[str, str]) -> dict[str, str]:
    """The same people, who are answered 201."""
    return {place: told.replace("200", "201") for place, told in cells.items()}


TEXT = {"text": "Hello."}
CREDENTIALS = {"username": "someone-new", "password": "of-all-the-tea-in-china"}

REST = [
    # Without a room.
    Row("GET /api/", **ALL),
    Row("GET /api/schema/", **ALL),
    Row("GET /api/asyncapi/", **ALL),
    Row(
        "POST /api/auth/register/", CREDENTIALS, anywhere="201 201 201 201 201 201  201 201 201 201"
    ),
    Row("POST /api/auth/token/", CREDENTIALS, anywhere="401 401 401 401 401 401  401 401 401 401"),
    Row(
        "POST /api/auth/token/refresh/",
        {"refresh": "none"},
        anywhere="401 401 401 401 401 401  401 401 401 401",
    ),
    Row("POST /api/auth/ticket/", **SIGNED_IN),
    Row("POST /api/auth/logout/", **gone(SIGNED_IN)),
    Row("GET /api/auth/devices/", **SIGNED_IN),
    Row("DELETE /api/auth/devices/", **gone(SIGNED_IN)),
    Row("DELETE /api/auth/devices/{device}/", **gone(SIGNED_IN)),
    Row(
        "DELETE /api/auth/devices/{others_device}/",
        anywhere="401 404 404 404 404 404  404 404 404 404",
    ),
    Row("GET /api/users/", **SIGNED_IN),
    Row("GET /api/users/?search=own", **SIGNED_IN),
    Row("GET /api/users/{other}/", **SIGNED_IN),
    Row("GET /api/users/me/", **SIGNED_IN),
    Row("PATCH /api/users/me/", {"display_name": "Else"}, **SIGNED_IN),
    Row("GET /api/rooms/", **SIGNED_IN),
    Row("GET /api/groups/", **SIGNED_IN),
    Row("GET /api/groups/?search=", **SIGNED_IN),
    Row(
        "POST /api/groups/",
        {"title": "New", "members": ["{other}"]},
        anywhere="401 201 201 201 201 201  201 201 201 201",
    ),
    Row("GET /api/direct/", **SIGNED_IN),
    Row(
        "POST /api/direct/",
        {"user": "{newcomer}"},
        anywhere="401 201 201 201 201 201  201 201 201 201",
    ),
    Row("POST /api/direct/", {"user": "{me}"}, **SIGNED_IN),
    Row("POST /api/sync/", {"epoch": "", "cursors": {}}, **SIGNED_IN),
    # A room.
    Row("GET /api/rooms/{room}/", **ANYONE_SEES),
    Row("PATCH /api/rooms/{room}/", {"title": "Otherwise"}, **ADMINS),
    Row("PATCH /api/rooms/{room}/", {"frozen": True}, **ADMINS),
    Row("PATCH /api/rooms/{room}/", {"visibility": "public"}, **ADMINS),
    Row("GET /api/rooms/{room}/messages/", **MEMBERS),
    Row("GET /api/rooms/{room}/pins/", **MEMBERS),
    Row("GET /api/rooms/{room}/members/", **MEMBERS),
    Row("GET /api/rooms/{room}/members/?search=own&role=owner", **MEMBERS),
    Row("GET /api/rooms/{room}/log/", **MEMBERS),
    Row("POST /api/rooms/{room}/messages/", TEXT, **WRITERS),
    Row("POST /api/messages/", {**TEXT, "room": "{room}"}, **WRITERS),
    Row("POST /api/rooms/{room}/read/", {"seq": 1}, **MEMBERS),
    Row("POST /api/rooms/{room}/unread/", {"seq": 1}, **MEMBERS),
    Row("PATCH /api/rooms/{room}/me/", {"pinned": True}, **MEMBERS),
    # A group.
    Row(
        "GET /api/groups/{room}/",
        **{**ANYONE_SEES, "direct": "401 404 --- --- 404 404  404 --- --- ---"},
    ),
    Row("PATCH /api/groups/{room}/", {"title": "Otherwise"}, **ADMINS),
    Row("DELETE /api/groups/{room}/", **gone(OWNERS)),
    Row(
        "POST /api/groups/{room}/join/",
        public="401 200 200 403 200 200  200 200 200 200",
        private="401 404 404 404 404 404  200 200 200 200",
        direct="401 404 --- --- 404 404  404 --- --- ---",
    ),
    Row(
        "POST /api/groups/{room}/leave/",
        public="401 403 403 403 403 403  204 204 204 409",
        private="401 404 404 404 404 404  204 204 204 409",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    # Its members.
    Row("GET /api/groups/{room}/members/", **{**MEMBERS, "direct": NO_ROOM}),
    Row("GET /api/groups/{room}/members/{owner}/", **{**MEMBERS, "direct": NO_ROOM}),
    Row(
        "POST /api/groups/{room}/members/",
        {"user": "{newcomer}"},
        public="401 403 403 403 403 403  403 201 201 201",
        private="401 404 404 404 404 404  403 201 201 201",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    Row(
        "POST /api/groups/{room}/members/",
        {"user": "{newcomer}", "role": "moderator"},
        public="401 403 403 403 403 403  403 403 201 201",
        private="401 404 404 404 404 404  403 403 201 201",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    Row(
        "POST /api/groups/{room}/members/",
        {"user": "{newcomer}", "role": "owner"},
        public="401 403 403 403 403 403  403 403 403 201",
        private="401 404 404 404 404 404  403 403 403 201",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    Row(
        "POST /api/groups/{room}/members/",
        {"user": "{banned}"},
        public="401 403 403 403 403 403  403 409 409 409",
        private="401 404 404 404 404 404  403 409 409 409",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    Row("PATCH /api/groups/{room}/members/{other}/", {"role": "moderator"}, **ADMINS),
    Row("PATCH /api/groups/{room}/members/{other}/", {"role": "admin"}, **OWNERS),
    Row("PATCH /api/groups/{room}/members/{other}/", {"role": "owner"}, **OWNERS),
    Row("PATCH /api/groups/{room}/members/{deputy}/", {"role": "member"}, **OWNERS),
    Row(
        "PATCH /api/groups/{room}/members/{me}/",
        {"role": "owner"},
        **{**OWNERS, "direct": "401 404 --- --- 404 404  403 --- --- ---"},
    ),
    Row(
        "PATCH /api/groups/{room}/members/{owner}/",
        {"role": "member"},
        public="401 403 403 403 403 403  403 403 403 409",
        private="401 404 404 404 404 404  403 403 403 409",
        direct="401 404 --- --- 404 404  403 --- --- ---",
    ),
    Row(
        "PATCH /api/groups/{room}/members/{other}/",
        {"muted_until": "2999-01-01T00:00:00Z"},
        **MODERATORS,
    ),
    Row(
        "PATCH /api/groups/{room}/members/{deputy}/",
        {"muted_until": "2999-01-01T00:00:00Z"},
        **OWNERS,
    ),
    Row(
        "PATCH /api/groups/{room}/members/{me}/",
        {"muted_until": "2999-01-01T00:00:00Z"},
        **NO_MEMBER,
    ),
    Row("DELETE /api/groups/{room}/members/{other}/", **gone(MODERATORS)),
    Row("DELETE /api/groups/{room}/members/{deputy}/", **gone(OWNERS)),
    Row("DELETE /api/groups/{room}/members/{owner}/", **NO_MEMBER),
    Row("DELETE /api/groups/{room}/members/{me}/", **NO_MEMBER),
    # Who is kept out of it.
    Row("GET /api/groups/{room}/bans/", **MODERATORS),
    Row("GET /api/groups/{room}/bans/{banned}/", **MODERATORS),
    Row("POST /api/groups/{room}/bans/", {"user": "{other}"}, **made(MODERATORS)),
    Row("POST /api/groups/{room}/bans/", {"user": "{newcomer}"}, **made(MODERATORS)),
    Row("POST /api/groups/{room}/bans/", {"user": "{banned}"}, **MODERATORS),
    Row("POST /api/groups/{room}/bans/", {"user": "{deputy}"}, **made(OWNERS)),
    Row("POST /api/groups/{room}/bans/", {"user": "{owner}"}, **NO_MEMBER),
    Row("POST /api/groups/{room}/bans/", {"user": "{me}"}, **NO_MEMBER),
    Row("DELETE /api/groups/{room}/bans/{banned}/", **gone(MODERATORS)),
    # A message: one's own, or another member's.
    Row("GET /api/messages/{message}/", **MEMBERS),
    Row("GET /api/messages/{own}/", **MEMBERS),
    Row("PATCH /api/messages/{message}/", TEXT, **NO_MEMBER),
    Row("PATCH /api/messages/{own}/", TEXT, **MEMBERS),
    Row("DELETE /api/messages/{message}/", **MODERATORS),
    Row("DELETE /api/messages/{own}/", **MEMBERS),
    Row("POST /api/messages/{message}/pin/", **PINNERS),
    Row("DELETE /api/messages/{message}/pin/", **PINNERS),
]

# Each command, on a socket of all one's rooms.
COMMANDS = [
    Row("ping", {}, **SIGNED_IN),
    Row("auth", {"token": "none"}, anywhere="401 401 401 401 401 401  401 401 401 401"),
    Row("resume", {"epoch": "of-before", "cursors": {}}, **SIGNED_IN),
    Row("message.send", {**TEXT, "room": "{room}"}, **MEMBERS),
    Row("message.send", {**TEXT, "room": "{room}", "reply_to": "{message}"}, **MEMBERS),
    Row("message.edit", {**TEXT, "message": "{message}"}, **NO_MEMBER),
    Row("message.edit", {**TEXT, "message": "{own}"}, **MEMBERS),
    Row("message.delete", {"message": "{message}"}, **MODERATORS),
    Row("message.delete", {"message": "{own}"}, **MEMBERS),
    Row("message.pin", {"message": "{message}"}, **PINNERS),
    Row("message.unpin", {"message": "{message}"}, **PINNERS),
    Row("room.read", {"room": "{room}", "seq": 1}, **MEMBERS),
    Row("room.unread", {"room": "{room}", "seq": 1}, **MEMBERS),
]

# Each path of a socket, and what opening it comes to.
SOCKETS = [
    Row("/ws/", **SIGNED_IN),
    Row("/ws/rooms/{room}/", **MEMBERS),
    Row("/ws/direct/{newcomer}/", **SIGNED_IN),
]
