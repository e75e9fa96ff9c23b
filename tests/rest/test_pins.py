"""Pins over REST: put up, taken down, and read as a list."""

from __future__ import annotations

import pytest

from chat.actions.messages import pin_message
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import logged, say

pytestmark = pytest.mark.django_db


def test_a_pin_is_put_up_and_taken_down_once(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    path = f"/api/messages/{say(bob, group).pk}/"
    for method, on in (("post", True), ("delete", False)):
        first, again = (getattr(api(ann), method)(f"{path}pin/") for _ in range(2))
        assert (first.status_code, first.json()["pinned"]) == (200, on)
        assert first.json() == again.json() == api(bob).get(path).json()
        assert first.json()["version"] == len(logged(group))
    assert logged(group)[-2:] == ["message.pinned", "message.unpinned"]


def test_a_deleted_message_is_not_pinned(api: Api, ann: Profile, group: Room) -> None:
    path = f"/api/messages/{say(ann, group).pk}/"
    api(ann).post(f"{path}pin/")
    assert api(ann).delete(path).json()["pinned"] is False
    refused(api(ann).post(f"{path}pin/"), 409, "conflict")
    assert api(ann).delete(f"{path}pin/").status_code == 200
    assert api(ann).get(f"/api/rooms/{group.pk}/pins/").json()["results"] == []


def test_the_list_shows_messages_as_everywhere(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    said = [say(bob, group, text) for text in ("one", "two", "three")]
    for message in said:
        pin_message(ann, message.pk)
    path = f"/api/rooms/{group.pk}/pins/"
    page = api(bob).get(path, {"limit": 2}).json()
    assert [one["text"] for one in page["results"]] == ["three", "two"]
    assert page["results"][0] == api(bob).get(f"/api/messages/{said[2].pk}/").json()
    rest = api(bob).get(page["next"]).json()
    assert ([one["text"] for one in rest["results"]], rest["next"]) == (["one"], None)


def test_a_full_room_says_what_to_do(
    api: Api, ann: Profile, group: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.actions.messages.PINS_MAX", 1)
    pin_message(ann, say(ann, group).pk)
    answer = api(ann).post(f"/api/messages/{say(ann, group).pk}/pin/")
    detail = refused(answer, 409, "conflict")["detail"]
    assert detail == "A room has at most 1 pinned messages. Unpin one first."
