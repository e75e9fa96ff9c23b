"""What is rendered by hand is what is declared: the same fields, each with a value that it would accept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from chat.actions.members import mute_member
from chat.actions.messages import delete_message, edit_message
from chat.actions.people import register_person, update_profile
from chat.actions.reads import mark_unread
from chat.actions.rooms import update_room
from chat.events import EVENTS
from chat.models import Device
from chat.queries.messages import history
from chat.queries.rooms import directory, directory_views, inbox, members, views
from chat.serializers.fields import rfc3339
from chat.serializers.messages import MessageSerializer, message_shape
from chat.serializers.people import DeviceSerializer, OwnProfileSerializer, UserSerializer
from chat.serializers.rooms import MembershipSerializer, PersonalRoomSerializer, room_shape
from tests.conftest import Heard
from tests.replay_cases import CASES
from tests.replay_house import House, build
from tests.scene import own_log, say, undone

pytestmark = pytest.mark.django_db

ENVELOPE = {"type", "room", "seq", "actor", "at"}
# What the sockets make themselves; their own tests hold it to its shape.
OF_SOCKETS = {"heads", "token.expiring"}


@pytest.fixture
def house(furnished: House, db: None) -> House:
    return deepcopy(furnished)


def wrong(shape: Any, declared: BaseSerializer, at: str = "") -> Iterator[str]:
    """Say where a shape is not what its serializer declares."""
    if isinstance(declared, ListSerializer):
        for number, item in enumerate(shape):
            yield from wrong(item, declared.child, f"{at}/{number}")
        return
    assert isinstance(declared, Serializer)
    if list(shape) != list(declared.fields):
        yield f"{at}: {list(shape)} is not {list(declared.fields)}"
        return
    for name, field in declared.fields.items():
        if isinstance(field, BaseSerializer) and shape[name] is not None:
            yield from wrong(shape[name], field, f"{at}/{name}")
            continue
        try:
            field.run_validation(shape[name])
        except Exception as error:
            yield f"{at}/{name}: {shape[name]!r} {error}"


def right(shape: Any, declared: type[Serializer]) -> None:
    assert not list(wrong(shape, declared()))
    json.dumps(shape)


def test_messages(house: House) -> None:
    update_profile(house.bob, avatar_url="https://example.org/b.png")
    edit_message(house.bob, house.late.pk, "x" * 400)
    delete_message(house.ann, house.first.pk)
    for viewer in (house.bob, house.cat):
        for room in (house.hall, house.den):
            if viewer.memberships.filter(room=room).exists():
                found = history(viewer, room.pk, limit=99)
                assert found.messages
                for one in found.messages:
                    right(message_shape(one, found.visible_from), MessageSerializer)


def test_rooms_as_their_members_see_them(house: House) -> None:
    mark_unread(house.bob, house.hall.pk, house.late.seq)
    update_room(house.ann, house.hall.pk, topic="Ships", avatar_url="https://example.org/h.png")
    for viewer in house.viewers:
        for view in views(viewer, list(inbox(viewer))):
            right(room_shape(view), PersonalRoomSerializer)


def test_rooms_as_others_see_them(house: House) -> None:
    (view,) = directory_views(house.eve, list(directory()))
    right(room_shape(view), PersonalRoomSerializer)


def test_people_and_members(house: House) -> None:
    mute_member(house.ann, house.hall.pk, house.cat.pk, datetime(2999, 1, 1, tzinfo=UTC))
    for member in members(house.cat, house.hall.pk):
        right(MembershipSerializer().to_representation(member), MembershipSerializer)
        right(UserSerializer().to_representation(member.user), UserSerializer)
        right(OwnProfileSerializer().to_representation(member.user), OwnProfileSerializer)


@pytest.mark.parametrize("name", ["phone", ""])
def test_devices(house: House, name: str) -> None:
    Device.objects.filter(pk=house.phone.pk).update(name=name)
    device = Device.objects.get(pk=house.phone.pk)
    right(DeviceSerializer().to_representation(device), DeviceSerializer)


def test_nobodys_address_is_in_any_shape(db: None) -> None:
    dora = register_person(username="dora", password="a long walk home", email="secret@example.org")
    message = say(dora, own_log(dora))
    (view,) = views(dora, list(inbox(dora)))
    everything = [
        OwnProfileSerializer().to_representation(dora),
        message_shape(message),
        room_shape(view),
    ]
    assert "secret" not in json.dumps(everything)


@pytest.mark.parametrize("name", CASES)
def test_every_event_that_goes_out(house: House, heard: Heard, name: str) -> None:
    for item in heard.of(CASES[name][1], house):
        for text in (item.text, item.narrower[1] if item.narrower else item.text):
            _right_event(json.loads(text))


def test_every_event_goes_out_in_some_case(heard: Heard) -> None:
    seen: set[str] = set()
    for _, run in CASES.values():
        with undone():
            seen |= set(heard.types_of(run, build()))
    assert set(EVENTS) - seen == OF_SOCKETS


def _right_event(event: dict[str, Any]) -> None:
    if event["type"] == "hidden":
        assert set(event) == {"type", "room", "seq"}
        return
    envelope = ENVELOPE if EVENTS[event["type"]].log else {"type", "room"}
    assert envelope <= set(event)
    payload = {name: value for name, value in event.items() if name not in envelope}
    assert not list(wrong(payload, EVENTS[event["type"]].payload(), event["type"]))


def test_times_are_utc_to_the_microsecond() -> None:
    assert rfc3339(None) is None
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2026-01-02T03:04:05.000678Z"
    assert rfc3339(datetime.fromisoformat("2026-01-02T03:04:05+02:00")) == "2026-01-02T01:04:05Z"
