"""A client reduced to its rule: it holds what it once read and changes it only by the events of its logs."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import UUID

from chat.models import Profile
from chat.queries.log import sync
from chat.queries.messages import history
from chat.queries.people import devices_of
from chat.queries.rooms import inbox, members, room_view, views
from chat.serializers.messages import QUOTE_MAX, message_shape
from chat.serializers.people import OwnProfileSerializer
from chat.serializers.rooms import MembershipSerializer, room_shape

Shape = dict[str, Any]
KEPT = ("notify", "pinned", "archived")
# Read positions and what is counted from them come with reads and live facts, never from a log.
FROM_READS = ("read_seq", "unread", "unread_from", "mentions")
# Told by message and member events, or by place in the log; a snapshot may be of a later moment.
FROM_EVENTS = ("head", "last_message", "me", "peer", "members_count")


class Replica:
    """What one person's client holds: rooms with members and messages, their profile, their devices."""

    def __init__(self, viewer: Profile, epoch: str, *, page: int = 100) -> None:
        self.viewer, self.epoch, self.page = viewer, epoch, page
        self.rooms: dict[str, Shape] = {}
        for view in views(viewer, list(inbox(viewer))):
            self._take_in(room_shape(view))
        self.me: Shape = OwnProfileSerializer().to_representation(Profile.objects.get(pk=viewer.pk))
        self.devices = {str(device.pk) for device in devices_of(viewer)}

    def state(self) -> Shape:
        """Return all that is shown, with last messages and counts as they follow from what is held."""
        rooms = {id: self._shown(held) for id, held in self.rooms.items()}
        return deepcopy({"rooms": rooms, "me": self.me, "devices": self.devices})

    def _shown(self, held: Shape) -> Shape:
        return {**held["room"], "members": held["members"], "messages": held["messages"]}

    def _take_in(self, room: Shape) -> None:
        """Begin with a room at a snapshot's head: its members and messages are read, not told."""
        self.rooms[room["id"]] = {
            "room": {**room, "me": _without_reads(room["me"])},
            "members": _members(self.viewer, room["id"]),
            "messages": _messages(self.viewer, room["id"]),
        }

    def catch_up(self) -> list[Shape]:
        """Ask for what is missing until nothing is; return the events in the order of their coming."""
        events: list[Shape] = []
        while True:
            cursors = {UUID(id): held["room"]["head"] for id, held in self.rooms.items()}
            missing = sync(self.viewer, self.epoch, cursors, limit=self.page)
            for room in missing.left:
                self.rooms.pop(room, None)
            for snapshot in missing.joined:
                self._take_in(snapshot)
            for stretch in missing.rooms.values():
                assert stretch.reset is None, stretch
                events += stretch.events
                for event in stretch.events:
                    self.apply(event)
            if not missing.more:
                return events

    def apply(self, event: Shape) -> None:
        """Take an event that is next in its room, and no other."""
        held = self.rooms.get(event["room"])
        if held is None or event["seq"] <= held["room"]["head"]:
            return
        assert event["seq"] == held["room"]["head"] + 1, "a hole in the log"
        held["room"]["head"] = event["seq"]
        for user in _deleted(event):
            self.rooms = _with_user(self.rooms, user)
        held = self.rooms[event["room"]]
        noun = event["type"].split(".")[0]
        if event["type"] in PERSONAL:
            PERSONAL[event["type"]](self, event)
        elif noun == "message":
            _apply_message(held, event["message"])
        elif noun == "member":
            self._apply_member(held, event)
        elif "snapshot" in event:
            told = {k: v for k, v in event["snapshot"].items() if k not in FROM_EVENTS}
            held["room"].update(told)

    def _apply_member(self, held: Shape, event: Shape) -> None:
        if event["type"] == "member.unbanned":
            return
        held["room"]["members_count"] = event["members_count"]
        if event["type"] == "member.banned":
            held["members"].pop(event["user"]["id"], None)
            return
        member = _without_reads(event["membership"])
        if event["type"] in ("member.left", "member.removed"):
            held["members"].pop(member["user"]["id"], None)
            return
        held["members"][member["user"]["id"]] = member
        if member["user"]["id"] == str(self.viewer.pk):
            held["room"]["me"].update(member)

    def _joined(self, event: Shape) -> None:
        self._take_in(event["snapshot"])

    def _left(self, event: Shape) -> None:
        self.rooms.pop(event["left"], None)

    def _kept(self, event: Shape) -> None:
        if held := self.rooms.get(event["kept"]):
            held["room"]["me"].update({name: event[name] for name in KEPT})

    def _profile(self, event: Shape) -> None:
        self.me = event["user"]
        self.rooms = _with_user(self.rooms, {name: self.me[name] for name in USER})

    def _device(self, event: Shape) -> None:
        self.devices.discard(event["device"])


USER = ("id", "username", "display_name", "avatar_url", "deleted")
PERSONAL = {
    "room.joined": Replica._joined,
    "room.left": Replica._left,
    "room.kept": Replica._kept,
    "profile.updated": Replica._profile,
    "device.ended": Replica._device,
}


def _deleted(shape: Any) -> list[Shape]:
    """Return the people in a shape whose account was deleted."""
    inner = shape.values() if isinstance(shape, dict) else shape
    if not isinstance(shape, (dict, list)):
        return []
    if set(shape) == set(USER):
        return [shape] if shape["deleted"] else []
    return [user for one in inner for user in _deleted(one)]


def _apply_message(held: Shape, message: Shape) -> None:
    known = held["messages"].get(message["id"])
    if known is None or known["version"] < message["version"]:
        held["messages"][message["id"]] = message
    for other in held["messages"].values():
        if other["reply_to"] and other["reply_to"]["id"] == message["id"]:
            other["reply_to"]["text"] = message["text"][:QUOTE_MAX]
            other["reply_to"]["deleted"] = message["deleted_at"] is not None
    said = [one for one in held["messages"].values() if not one["deleted_at"]]
    held["room"]["last_message"] = max(said, key=lambda one: one["seq"], default=None)


def _without_reads(member: Shape) -> Shape:
    return {name: value for name, value in member.items() if name not in FROM_READS}


def _with_user(shape: Any, user: Shape) -> Any:
    """Return a shape in which a person looks as they look now, wherever they appear."""
    if isinstance(shape, list):
        return [_with_user(item, user) for item in shape]
    if not isinstance(shape, dict):
        return shape
    if set(shape) == set(USER) and shape["id"] == user["id"]:
        return user
    return {name: _with_user(value, user) for name, value in shape.items()}


def _members(viewer: Profile, room: str) -> dict[str, Shape]:
    rows = members(viewer, UUID(room))
    return {
        str(row.user_id): _without_reads(MembershipSerializer().to_representation(row))
        for row in rows
    }


def _messages(viewer: Profile, room: str) -> dict[str, Shape]:
    """Read the whole history, as a client would that scrolls to the top."""
    found: dict[str, Shape] = {}
    seq = room_view(viewer, UUID(room)).room.head + 1
    while True:
        page = history(viewer, UUID(room), limit=3, edge="before", seq=seq)
        found.update((str(one.pk), message_shape(one, page.visible_from)) for one in page.messages)
        if not page.has_before:
            return found
        seq = page.messages[0].seq


def differences(held: Any, read: Any, at: str = "") -> list[str]:
    """Say where two states differ, each place once; nothing when they are equal."""
    if isinstance(held, dict) and isinstance(read, dict):
        names = [*held, *(name for name in read if name not in held)]
        inner = [(held.get(name), read.get(name), f"{at}/{name}") for name in names]
        return [line for one in inner for line in differences(*one)]
    return [] if held == read else [f"{at}: held {held!r}, read {read!r}"]
