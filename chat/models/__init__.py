"""Rows and constraints; no side effects."""

from chat.models.bans import Ban
from chat.models.log import Epoch, Event
from chat.models.messages import Message
from chat.models.moderation import ModerationEntry
from chat.models.people import Device, Profile, Ticket
from chat.models.rooms import Membership, Room

__all__ = [
    "Ban",
    "Device",
    "Epoch",
    "Event",
    "Membership",
    "Message",
    "ModerationEntry",
    "Profile",
    "Room",
    "Ticket",
]
