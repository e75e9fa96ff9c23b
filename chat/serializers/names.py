"""Names of body fields that clients know: a request that does not write one of them must not ignore it."""

from __future__ import annotations

from functools import cache
from itertools import chain

from chat.serializers.messages import AddressedMessageSerializer, MessageSerializer
from chat.serializers.people import DeviceSerializer, OwnProfileSerializer, ProfileChangeSerializer
from chat.serializers.rooms import (
    BanSerializer,
    MemberChangeSerializer,
    NewBanSerializer,
    NewGroupSerializer,
    NewMemberSerializer,
    OwnMembershipSerializer,
    PersonalRoomSerializer,
    RoomChangeSerializer,
)

SHAPES = (
    AddressedMessageSerializer,
    BanSerializer,
    DeviceSerializer,
    MemberChangeSerializer,
    MessageSerializer,
    NewBanSerializer,
    NewGroupSerializer,
    NewMemberSerializer,
    OwnMembershipSerializer,
    OwnProfileSerializer,
    PersonalRoomSerializer,
    ProfileChangeSerializer,
    RoomChangeSerializer,
)
# Fields of sign-in and of positions. Their shapes belong to transports, which this module must not import.
ELSEWHERE = frozenset(
    {"cursors", "device", "email", "epoch", "message", "password", "refresh", "seq", "token"}
)
# Names that the protocol reserves. A client that sends one expects an effect that this server does not have.
RESERVED = frozenset(
    {"attachments", "content", "forwarded_from", "in_room", "mentions", "reactions", "thread"}
)


@cache
def known_names() -> frozenset[str]:
    """Return every field name of the API, those that are only read included."""
    return ELSEWHERE | RESERVED | frozenset(chain(*(shape().fields for shape in SHAPES)))
