"""A house with every kind of viewer in it, for the cases of ``replay_cases``."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from chat.actions import devices, members, people, rooms
from chat.models import Device, Message, Profile, Room
from tests.scene import say

NAMES = ("ann", "bob", "cat", "dan", "eve")


@dataclass(frozen=True)
class House:
    """ann owns, bob moderates, cat came late to rooms that hide their past, dan was put out, eve is in none."""

    ann: Profile
    bob: Profile
    cat: Profile
    dan: Profile
    eve: Profile
    hall: Room
    den: Room
    pair: Room
    first: Message
    reply: Message
    late: Message
    phone: Device

    @property
    def viewers(self) -> list[Profile]:
        return [self.ann, self.bob, self.cat, self.dan, self.eve]


def build() -> House:
    ann, bob, cat, dan, eve = (people.add_person(username=name) for name in NAMES)
    hall, _ = rooms.create_group(
        ann, title="Hall", visibility="public", history="joined", members=[bob.pk, dan.pk]
    )
    den, _ = rooms.create_group(ann, title="Den", visibility="private", members=[bob.pk])
    pair, _ = rooms.open_direct(ann, bob.pk)
    members.change_role(ann, hall.pk, bob.pk, "moderator")
    first = say(ann, hall, "Before cat came.")
    reply = say(bob, hall, "An answer.", reply_to=first.pk)
    members.join_room(cat, hall.pk)
    late = say(bob, hall, "Heard by cat, but for the quote.", reply_to=first.pk)
    say(cat, hall, "An answer to an answer.", reply_to=late.pk)
    members.remove_member(ann, hall.pk, dan.pk)
    say(ann, den, "Between us.", metadata={"mood": "fine"})
    say(bob, pair, "Only for you.")
    for number in range(4):
        say(ann, den, f"More, number {number}.")
    phone, _ = (
        devices.open_device(ann, None, name=name, refresh_jti=name, sid=uuid4())
        for name in ("phone", "laptop")
    )
    return House(ann, bob, cat, dan, eve, hall, den, pair, first, reply, late, phone)
