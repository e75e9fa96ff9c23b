"""An example of each shape, made from its fields: for the documents, and to begin a frame with."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

ADA = "0197f0a4-5c1e-7a63-9d1b-3f0e6a2b7c10"
BOB = "0197f0a4-6b77-7d0e-8a52-51c9de04b311"
ROOM = "0197f0a5-0f3a-7c44-b6a8-7d2c90e1f512"
MESSAGE = "0197f0a6-3c58-7f19-a1e7-c4b85d60a913"
OTHER = "0197f0a5-9e21-7b8d-92f4-08f3a7d5ce14"
MOMENT = "2026-11-20T15:04:05.123456Z"

# What stands in a field of this name; other fields show what their kind can hold.
SAMPLES: dict[str, Any] = {
    "id": MESSAGE,
    "user": BOB,
    "room": ROOM,
    "message": MESSAGE,
    "members": [BOB],
    "groups_from": None,
    "joined": ROOM,
    "left": ROOM,
    "kept": ROOM,
    "thread": None,
    "thread_info": None,
    "reply_to": None,
    "mentions": [],
    "attachments": [],
    "reactions": [],
    "metadata": {},
    "username": "ada",
    "display_name": "Ada",
    "password": "tea-at-half-past-four",
    "email": "ada@example.org",
    "device": "Firefox on Ada's laptop",
    "name": "Firefox on Ada's laptop",
    "avatar_url": None,
    "title": "Tea",
    "topic": "Milk first?",
    "text": "Two cups, please.",
    "type": "message.sent",
    "seq": 42,
    "head": 42,
    "version": 42,
    "read_seq": 42,
    "after": 40,
    "history_from": 0,
    "members_count": 2,
    "unread": 0,
    "unread_from": None,
    "slow_mode": 0,
    "heartbeat": 10,
    "frozen": False,
    "archived": False,
    "deleted": False,
    "more": False,
    "in_room": True,
    "muted_until": None,
    "edited_at": None,
    "deleted_at": None,
    "visibility": "public",
    "kind": "text",
    "role": "member",
    "pinned": False,
    "reset": None,
    "suspended": None,
    "next": None,
    "previous": None,
    "epoch": "3f0e6a2b7c10",
    "cursors": {ROOM: 40},
    "heads": {ROOM: 42},
    "left_out": 0,
    "rooms": {ROOM: 42},
    "access": "eyJhbGciOi…access",
    "refresh": "eyJhbGciOi…refresh",
    "token": "eyJhbGciOi…access",
    "code": "not_found",
    "detail": "Not found.",
    "reason": "too_far",
}
REFUSED = {
    "code": "forbidden",
    "detail": "You are muted in this room until 15:04:05 UTC.",
    "reason": "muted",
    "until": MOMENT,
    "fields": {"text": ["This field may not be blank."]},
    "retry_after": 2,
}
# Where a shape means something else by a name, or is about someone or something else.
SPECIAL: dict[str, dict[str, Any]] = {
    "UserSerializer": {"id": ADA},
    "OwnProfileSerializer": {"id": ADA},
    "RoomSerializer": {"id": ROOM, "kind": "group"},
    "PersonalRoomSerializer": {"id": ROOM, "kind": "group", "peer": None},
    "NewGroupSerializer": {"id": ROOM},
    "DeviceSerializer": {"id": OTHER},
    "DevicePayload": {"device": OTHER},
    "MissingSerializer": {"left": [OTHER]},
    "BanSerializer": {"reason": "Spam, three times over."},
    "NewBanSerializer": {"reason": "Spam, three times over."},
    "ErrorSerializer": REFUSED,
    "ErrorShape": REFUSED,
    "ResumeAnswer": {"rooms": 3},
    "OwnMembershipSerializer": {"mentions": 0},
    "ServerShape": {"name": "parley", "version": "0.1.0"},
    "LimitsShape": {
        "text": 8_000,
        "frame": 65_536,
        "resume": 1_000,
        "rooms": 10_000,
        "writes": {"count": 600, "seconds": 60},
        "reads": {"count": 3_000, "seconds": 60},
        "frames": {"count": 300, "seconds": 10},
    },
    "RateShape": {"count": 600, "seconds": 60},
    "LinksSerializer": {
        name: f"https://chat.example.org/api/{name}/"
        for name in (
            "users",
            "rooms",
            "groups",
            "direct",
            "schema",
            "docs",
            "asyncapi",
            "console",
        )
    },
}


def example(shape: serializers.Serializer[Any]) -> dict[str, Any]:
    """Return an object in the shape, every field filled in."""
    samples = {**SAMPLES, **SPECIAL.get(type(shape).__name__, {})}
    return {name: _value(name, field, samples) for name, field in shape.fields.items()}


def _value(name: str, field: serializers.Field[Any, Any, Any, Any], samples: dict[str, Any]) -> Any:
    """Say what a shape holds: nested ones whole, a sample by the field's name, else one by its kind."""
    if name in samples and samples[name] is None and field.allow_null:
        return None
    if isinstance(field, serializers.ListSerializer):
        child: Any = field.child
        return [example(child)]
    if isinstance(field, serializers.Serializer):
        return example(field)
    if isinstance(field, serializers.DictField) and isinstance(field.child, serializers.Serializer):
        return {ROOM: example(field.child)}
    if name in samples and samples[name] is not None:
        return samples[name]
    return _by_kind(field)


def _by_kind(field: serializers.Field[Any, Any, Any, Any]) -> Any:
    if isinstance(field, serializers.ChoiceField):
        return next(iter(field.choices))
    kinds: tuple[tuple[type[Any], Any], ...] = (
        (serializers.BooleanField, True),
        (serializers.IntegerField, field_minimum(field)),
        (serializers.FloatField, 2.5),
        (serializers.UUIDField, OTHER),
        (serializers.DateTimeField, MOMENT),
        (serializers.URLField, "https://chat.example.org/api/"),
        (serializers.ListField, []),
        (serializers.DictField, {}),
    )
    return next((value for kind, value in kinds if isinstance(field, kind)), MOMENT)


def field_minimum(field: serializers.Field[Any, Any, Any, Any]) -> int:
    """Return the least number that a field takes."""
    return getattr(field, "min_value", None) or 0
