"""What each kind of event adds to ``{type, room, seq, actor, at}``."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from chat.serializers.fields import IdField, SeqField
from chat.serializers.messages import MessageSerializer
from chat.serializers.people import OwnProfileSerializer, UserSerializer
from chat.serializers.rooms import MembershipSerializer, PersonalRoomSerializer, RoomSerializer

Shape = type[serializers.Serializer[Any]]


class MessagePayload(serializers.Serializer[Any]):
    """The message as it now stands; a client ignores one whose ``version`` is lower than what it holds."""

    message = MessageSerializer()


class MemberPayload(serializers.Serializer[Any]):
    """The membership as it then stood; after leaving or removal, as it last stood."""

    membership = MembershipSerializer()
    members_count = serializers.IntegerField()


class BannedPayload(serializers.Serializer[Any]):
    """Who is banned; the membership as it last stood, or null where they were not in."""

    user = UserSerializer()
    membership = MembershipSerializer(allow_null=True)
    members_count = serializers.IntegerField()


class UnbannedPayload(serializers.Serializer[Any]):
    """Who may come in again; they are not brought back."""

    user = UserSerializer()


class SnapshotPayload(serializers.Serializer[Any]):
    """The room as it now stands, neutral."""

    snapshot = RoomSerializer()


class JoinedPayload(serializers.Serializer[Any]):
    """A room that is now mine; ``snapshot.head`` is where my cursor begins."""

    joined = IdField()
    snapshot = PersonalRoomSerializer()


class LeftPayload(serializers.Serializer[Any]):
    """A room that is no longer mine: left, removed or banned from, or deleted."""

    left = IdField()


class KeptPayload(serializers.Serializer[Any]):
    """How I keep one of my rooms."""

    kept = IdField()
    notify = serializers.CharField()
    pinned = serializers.BooleanField()
    archived = serializers.BooleanField()


class ProfilePayload(serializers.Serializer[Any]):
    """My own profile as it now stands."""

    user = OwnProfileSerializer()


class DevicePayload(serializers.Serializer[Any]):
    """A device of mine that is signed out; its sockets close."""

    device = IdField()


class NothingPayload(serializers.Serializer[Any]):
    """Nothing more."""


class ReadPayload(serializers.Serializer[Any]):
    """Who has read how far."""

    user = UserSerializer()
    seq = SeqField()


class UnreadPayload(serializers.Serializer[Any]):
    """From where I marked the room unread."""

    unread_from = SeqField()


class ExpiringPayload(serializers.Serializer[Any]):
    """When the token ends; without a fresh one the socket closes then (4401)."""

    at = serializers.CharField()


class HeadsPayload(serializers.Serializer[Any]):
    """Room id → head, for rooms that moved since the last time; often empty: a heartbeat."""

    rooms = serializers.DictField(child=SeqField())
