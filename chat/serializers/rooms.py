"""How rooms and memberships look, and what may be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from chat.models import Ban, Membership, Message, Profile, Room
from chat.models.people import REASON_MAX
from chat.serializers.fields import (
    IdField,
    PlainNameField,
    PlainTextField,
    SeqField,
    ShortListField,
    WebAddressField,
    rfc3339,
)
from chat.serializers.messages import MessageSerializer, message_shape
from chat.serializers.people import UserSerializer, user_or_none

WHOM = "The id of a person; GET users/?search= finds it."


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room with what its shape shows: loaded, so that rendering asks the database nothing.

    ``me`` carries the annotation ``unread``; ``last_message`` is one that the viewer may see. With
    ``personal`` false the shape is the neutral one of events.
    """

    room: Room
    last_message: Message | None = None
    me: Membership | None = None
    peer: Profile | None = None
    personal: bool = True


class MembershipSerializer(serializers.Serializer[Membership]):
    """**membership**, as all members see it. Rendered from a row with ``user`` loaded."""

    user = UserSerializer()
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    joined_at = serializers.CharField()
    history_from = SeqField()
    read_seq = SeqField()
    muted_until = serializers.CharField(allow_null=True)

    def to_representation(self, instance: Membership) -> dict[str, Any]:
        return {"user": user_or_none(instance.user), **standing(instance)}


def standing(member: Membership) -> dict[str, Any]:
    """Return a membership but for the person: what an event of the log keeps of it."""
    return {
        "role": member.role,
        "joined_at": rfc3339(member.joined_at),
        "history_from": member.history_from,
        "read_seq": member.read_seq,
        "muted_until": rfc3339(member.muted_until),
    }


class OwnMembershipSerializer(MembershipSerializer):
    """**membership** as its own person sees it, with the counts and choices that concern nobody else."""

    notify = serializers.ChoiceField(choices=Membership.Notify.choices)
    pinned = serializers.BooleanField()
    archived = serializers.BooleanField()
    unread = serializers.IntegerField(help_text="Exact up to 100; 100 means 100 or more.")
    unread_from = SeqField(allow_null=True)
    mentions = serializers.IntegerField()

    def to_representation(self, instance: Membership) -> dict[str, Any]:
        return {
            **super().to_representation(instance),
            "notify": instance.notify,
            "pinned": instance.pinned,
            "archived": instance.archived,
            "unread": getattr(instance, "unread", 0),
            "unread_from": instance.unread_from,
            "mentions": 0,
        }


class RoomSerializer(serializers.Serializer[RoomView]):
    """**room**, neutral as events carry it: what message and personal events tell is left out."""

    id = IdField()
    kind = serializers.ChoiceField(choices=Room.Kind.choices)
    title = serializers.CharField(allow_blank=True)
    topic = serializers.CharField(allow_blank=True)
    visibility = serializers.ChoiceField(choices=Room.Visibility.choices, allow_null=True)
    history = serializers.ChoiceField(choices=Room.History.choices)
    avatar_url = serializers.CharField(allow_null=True)
    head = SeqField()
    created_at = serializers.CharField()
    members_count = serializers.IntegerField()
    frozen = serializers.BooleanField()
    slow_mode = serializers.IntegerField(help_text="Seconds between two messages of one person.")

    def to_representation(self, instance: RoomView) -> dict[str, Any]:
        room = instance.room
        return {
            "id": str(room.pk),
            "kind": room.kind,
            "title": room.title,
            "topic": room.topic,
            "visibility": room.visibility,
            "history": room.history,
            "avatar_url": room.avatar_url or None,
            "head": room.head,
            "created_at": rfc3339(room.created_at),
            "members_count": room.members_count,
            "frozen": room.frozen,
            "slow_mode": room.slow_mode,
        }


class PersonalRoomSerializer(RoomSerializer):
    """**room** for one viewer: with ``last_message``, ``me`` and, in a direct room, ``peer``."""

    last_message = MessageSerializer(allow_null=True)
    me = OwnMembershipSerializer(allow_null=True)
    peer = UserSerializer(allow_null=True)

    def to_representation(self, instance: RoomView) -> dict[str, Any]:
        last, me = instance.last_message, instance.me
        return {
            **super().to_representation(instance),
            "last_message": last and message_shape(last, me.history_from if me else 0),
            "me": me and OwnMembershipSerializer().to_representation(me),
            "peer": user_or_none(instance.peer),
        }


def room_shape(view: RoomView) -> dict[str, Any]:
    """Return the **room** shape that the view is for."""
    shape = PersonalRoomSerializer if view.personal else RoomSerializer
    return shape().to_representation(view)


class RoomChangeSerializer(serializers.Serializer[Room]):
    """What the admins of a group may change."""

    title = PlainNameField(max_length=200, required=False)
    topic = PlainTextField(max_length=1000, allow_blank=True, required=False)
    visibility = serializers.ChoiceField(choices=Room.Visibility.choices, required=False)
    history = serializers.ChoiceField(choices=Room.History.choices, required=False)
    avatar_url = WebAddressField(required=False)
    frozen = serializers.BooleanField(required=False)
    slow_mode = serializers.IntegerField(min_value=0, max_value=86_400, required=False)


class NewGroupSerializer(serializers.Serializer[Room]):
    """What a person says of a new group; the same ``id`` again is a repeat."""

    id = IdField(required=False)
    title = PlainNameField(max_length=200)
    visibility = serializers.ChoiceField(
        choices=Room.Visibility.choices,
        default=Room.Visibility.PRIVATE,
        initial=Room.Visibility.PRIVATE,
    )
    topic = PlainTextField(max_length=1000, allow_blank=True, default="")
    history = serializers.ChoiceField(choices=Room.History.choices, default=Room.History.ALL)
    members = ShortListField(child=IdField(), max_length=100, default=list)


class NewDirectSerializer(serializers.Serializer[Room]):
    """With whom."""

    user = IdField(help_text=WHOM)


class NewMemberSerializer(serializers.Serializer[Membership]):
    """Whom to bring in, and as what."""

    user = IdField(help_text=WHOM)
    # Forms begin with it, and not with the first choice.
    role = serializers.ChoiceField(
        choices=Membership.Role.choices,
        default=Membership.Role.MEMBER,
        initial=Membership.Role.MEMBER,
    )


class MemberChangeSerializer(serializers.Serializer[Membership]):
    """Another role, or a silence until a moment; null ends the silence."""

    role = serializers.ChoiceField(choices=Membership.Role.choices, required=False)
    muted_until = serializers.DateTimeField(required=False, allow_null=True)


class BanSerializer(serializers.Serializer[Ban]):
    """**ban**, as a room's moderators see it. Rendered from a row with ``user`` and ``by`` loaded."""

    user = UserSerializer()
    by = UserSerializer()
    reason = serializers.CharField(allow_blank=True)
    created_at = serializers.CharField()

    def to_representation(self, instance: Ban) -> dict[str, Any]:
        return {
            "user": user_or_none(instance.user),
            "by": user_or_none(instance.by),
            "reason": instance.reason,
            "created_at": rfc3339(instance.created_at),
        }


class NewBanSerializer(serializers.Serializer[Ban]):
    """Whom to keep out, and why; the room's moderators see the reason, its members do not."""

    user = IdField(help_text=WHOM)
    reason = PlainTextField(max_length=REASON_MAX, allow_blank=True, default="")


class OwnMembershipChangeSerializer(serializers.Serializer[Membership]):
    """How a person keeps a room for themselves."""

    notify = serializers.ChoiceField(choices=Membership.Notify.choices, required=False)
    pinned = serializers.BooleanField(required=False)
    archived = serializers.BooleanField(required=False)


class PositionSerializer(serializers.Serializer[Membership]):
    """A place in the room's log."""

    seq = SeqField()
