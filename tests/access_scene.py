"""The people and rooms of the access table, and what they look like to a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.transaction import atomic, set_rollback

from chat.actions import members
from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.people import profile_for
from chat.actions.rooms import create_group, open_direct
from chat.models import Membership, Profile, Room
from chat.queries.epoch import current_epoch
from tests.scene import say, staff_with

# In every group, beside whom the rows are about.
SEATED = {
    "member": "member",
    "moderator": "moderator",
    "admin": "admin",
    "other": "member",
    "deputy": "admin",
    "former": "member",
    "banned": "member",
}
OUTSIDE = ("stranger", "elsewhere", "newcomer")


@dataclass(frozen=True)
class Scene:
    """People by role; rooms by place."""

    people: dict[str, Profile]
    rooms: dict[str, Room]
    others: dict[str, str]
    own: dict[tuple[str, str], str]
    devices: dict[str, str]

    def names(self, role: str, place: str) -> dict[str, str]:
        """What the words in braces mean for someone at a place."""
        someone = role if role in self.people else "stranger"
        # In a direct room there are two; the other owns nothing there, and is whoever a row names.
        pair = place == "direct"
        named = ("other", "deputy", "owner", "banned")
        people = {name: self.people["owner" if pair else name].pk for name in named}
        found = {
            **people,
            "newcomer": self.people["newcomer"].pk,
            "me": self.people[someone].pk,
            "device": self.devices[someone],
            "others_device": self.devices["newcomer"],
        }
        if place in self.rooms:
            message = self.others[place]
            own = self.own.get((someone, place), message)
            found |= {"room": self.rooms[place].pk, "message": message, "own": own}
        return {name: str(value) for name, value in found.items()}

    def renew(self, role: str, place: str) -> None:
        """Let both messages be there as at first, for whoever comes next."""
        writer = self.people["owner" if place == "direct" else "other"]
        room = self.rooms[place]
        self.others[place] = str(say(writer, room, "Between us.").pk)
        if Membership.objects.filter(room=room, user=self.people[role]).exists():
            self.own[role, place] = str(say(self.people[role], room, "My own.").pk)


def build() -> Scene:
    """Make everyone, and the rooms with all that was said in them."""
    # The first read of an epoch stores it, which is no change that a test is about.
    current_epoch()
    names = ("owner", *SEATED, *OUTSIDE)
    accounts = {name: get_user_model().objects.create(username=name) for name in names}
    accounts["staff"] = staff_with("moderate_room", username="staff")
    people = {name: profile_for(account) for name, account in accounts.items()}
    for visibility in ("public", "private"):
        create_group(people["elsewhere"], title="Elsewhere", visibility=visibility)
    devices = {
        name: str(open_device(one, None, name="phone", refresh_jti=name, sid=uuid4()).pk)
        for name, one in people.items()
    }
    pair, _ = open_direct(people["owner"], people["member"].pk)
    scene = Scene(people, {"direct": pair}, {}, {}, devices)
    scene.renew("member", "direct")
    for place in ("public", "private"):
        _group(scene, place)
    return scene


def _group(scene: Scene, place: str) -> None:
    people, owner = scene.people, scene.people["owner"]
    seated = [people[name].pk for name in SEATED]
    room, _ = create_group(owner, title=place, visibility=place, members=seated)
    scene.rooms[place] = room
    for name, role in SEATED.items():
        members.change_role(owner, room.pk, people[name].pk, role)
    for name in ("owner", *SEATED):
        scene.renew(name, place)
    members.leave_room(people["former"], room.pk)
    ban_member(owner, room.pk, people["banned"].pk)


def stored() -> dict[str, list[Any]]:
    """Every row of the chat and every account, so that two looks can be compared."""
    models = [*apps.get_app_config("chat").get_models(), get_user_model()]
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in models
    }


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Scene, Any]]:
    """One house for a whole file, each of whose tests leaves it as it was; with all that is stored of it."""
    with django_db_blocker.unblock(), atomic():
        scene = build()
        yield scene, stored()
        set_rollback(True)
