"""Messages over REST: sent once however often, read in stretches, changed, taken back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.models import Message, Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import say

pytestmark = pytest.mark.django_db


def history(room: Room) -> str:
    return f"/api/rooms/{room.pk}/messages/"


def test_a_message_is_stored_once_however_often_it_is_sent(
    api: Api, ann: Profile, bob: Profile, group: Room, den: Room
) -> None:
    body = {"id": str(uuid4()), "text": "Ahoy", "metadata": {"a": [1, None, "é"]}}
    first = api(bob).post(history(group), body, format="json")
    assert (first.status_code, first["Location"]) == (201, f"/api/messages/{body['id']}/")
    assert first.json()["metadata"] == body["metadata"]
    again = api(bob).post("/api/messages/", {**body, "room": str(group.pk)}, format="json")
    assert (again.status_code, again.json()) == (200, first.json())
    said = [
        refused(answer, 409, "conflict")
        for answer in (
            api(bob).post(history(group), {**body, "text": "Hoy"}, format="json"),
            api(bob).post(history(den), body, format="json"),
            api(ann).post(history(group), body, format="json"),
        )
    ]
    assert said == [said[0]] * 3
    assert Message.objects.count() == 1


def test_a_repeat_answers_what_is_stored_by_now(api: Api, bob: Profile, group: Room) -> None:
    body = {"id": str(uuid4()), "text": "Ahoy"}
    api(bob).post(history(group), body)
    api(bob).patch(f"/api/messages/{body['id']}/", {"text": "Ahoi"})
    assert api(bob).post(history(group), body).json()["text"] == "Ahoi"
    api(bob).delete(f"/api/messages/{body['id']}/")
    again = api(bob).post(history(group), body)
    assert (again.status_code, again.json()["text"]) == (200, "")
    assert again.json()["deleted_at"]


def test_fields_that_a_send_does_not_set_are_refused(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    forged = {
        "sender": str(ann.pk),
        "seq": 1,
        "kind": "system",
        "created_at": "1999-01-01T00:00:00Z",
        "room": str(uuid4()),
        "attachments": [],
        "thread": None,
    }
    head = Room.objects.get(pk=group.pk).head
    answer = api(bob).post(history(group), {"text": "Ahoy", **forged}, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == forged.keys()
    assert Room.objects.get(pk=group.pk).head == head
    newer = {"text": "Ahoy", "edited_by": "ann", "of_a_later_version": 1}
    assert api(bob).post(history(group), newer).json()["sender"]["username"] == "bob"


DEEP: dict[str, Any] = {}
for _ in range(20):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": " \n"},
        {"text": "\x00"},
        {"text": "\x07"},
        {"text": None},
        {"text": ["x"]},
        {"text": {"a": 1}},
        {"text": "x" * 8_001},
        {"id": "x"},
        {"id": {}},
        {"reply_to": "x"},
        {"metadata": []},
        {"metadata": "x"},
        {"metadata": {"a": "\x00"}},
        {"metadata": {"\x00": 1}},
        {"metadata": {"a": "x" * 5_000}},
        {"metadata": DEEP},
    ],
    ids=lambda wrong: repr(wrong)[:40],
)
def test_a_message_that_is_refused_says_where(
    api: Api, bob: Profile, group: Room, wrong: dict[str, Any]
) -> None:
    answer = api(bob).post(history(group), {"text": "Ahoy", **wrong}, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == wrong.keys()
    assert not Message.objects.exists()


def test_an_answer_is_to_a_message_of_the_same_room(
    api: Api, ann: Profile, bob: Profile, group: Room, den: Room
) -> None:
    elsewhere, here = say(ann, den), say(ann, group, "here")
    for stranger in (elsewhere.pk, uuid4()):
        answer = api(bob).post(history(group), {"text": "x", "reply_to": str(stranger)})
        refused(answer, 404, "not_found")
    answer = api(bob).post(history(group), {"text": "x", "reply_to": str(here.pk)}).json()
    assert answer["reply_to"]["text"] == "here"


def test_a_history_is_read_in_stretches(api: Api, ann: Profile, bob: Profile, group: Room) -> None:
    sent = [say(ann, group, str(number)).seq for number in range(9)]

    def texts(**asked: int) -> tuple[str, bool, bool]:
        found = api(bob).get(history(group), asked).json()
        assert set(found) == {"results", "epoch", "head", "has_before", "has_after"}
        assert found["head"] == sent[-1]
        words = "".join(one["text"] for one in found["results"])
        return words, found["has_before"], found["has_after"]

    assert texts() == ("012345678", False, False)
    assert texts(limit=3) == ("678", True, False)
    assert texts(before=sent[4], limit=2) == ("23", True, True)
    assert texts(after=sent[4], limit=2) == ("56", True, True)
    assert texts(around=sent[4], limit=3) == ("345", True, True)
    assert texts(after=2**63 - 1) == ("", True, False)
    assert texts(before=2**63 - 1) == ("012345678", False, False)
    assert texts(around=2**63 - 1, limit=4)[1:] == (True, False)
    assert texts(before=0) == ("", False, True)
    assert texts(after=0, limit=10**9) == ("012345678", False, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"before": -1},
        {"after": 2**63},
        {"around": 10**20},
        {"before": "x"},
        {"before": "1.5"},
        {"after": "9" * 5_000},
        {"after": "\x00"},
        {"limit": 0},
        {"limit": -1},
        {"limit": "abc"},
    ],
    ids=lambda wrong: repr(wrong)[:40],
)
def test_a_stretch_that_is_none_is_refused(
    api: Api, bob: Profile, group: Room, wrong: dict[str, Any]
) -> None:
    answer = api(bob).get(history(group), wrong)
    assert refused(answer, 400, "invalid")["fields"].keys() == wrong.keys()


def test_two_places_at_once_are_refused(api: Api, bob: Profile, group: Room) -> None:
    refused(api(bob).get(history(group), {"before": 1, "after": 1}), 400, "invalid")


def test_a_stretch_is_no_longer_than_the_maximum(
    api: Api, ann: Profile, bob: Profile, group: Room, configured: Any
) -> None:
    configured(PAGE_SIZE=2, PAGE_MAX=3)
    for _ in range(5):
        say(ann, group)
    assert len(api(bob).get(history(group)).json()["results"]) == 2
    assert len(api(bob).get(history(group), {"limit": 10**9}).json()["results"]) == 3


def test_ones_own_words_are_changed_by_oneself_only(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    path = f"/api/messages/{say(bob, group, 'Ahoy').pk}/"
    before = api(ann).get(path).json()
    assert api(bob).patch(path).json() == before
    edited = api(bob).patch(path, {"text": "Ahoi"})
    assert (edited.status_code, edited.json()["text"]) == (200, "Ahoi")
    assert edited.json()["version"] > before["version"]
    assert edited.json() == api(ann).get(path).json()
    refused(api(ann).patch(path, {"text": "Hoy"}), 403, "forbidden")
    refused(api(bob).patch(path, {"text": "\x00"}), 400, "invalid")
    refused(api(bob).patch(path, {"text": "x" * 8_001}), 400, "invalid")


def test_a_deleted_message_leaves_its_place(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    message = say(ann, group, "secret")
    path = f"/api/messages/{message.pk}/"
    refused(api(bob).delete(path), 403, "forbidden")
    tombstone = api(ann).delete(path)
    assert tombstone.status_code == 200
    assert (tombstone.json()["text"], tombstone.json()["seq"]) == ("", message.seq)
    assert api(ann).delete(path).json() == tombstone.json()
    refused(api(ann).patch(path, {"text": "again"}), 409, "conflict")
    for path in (history(group), f"/api/rooms/{group.pk}/log/", "/api/rooms/"):
        assert "secret" not in api(bob).get(path).content.decode()


def test_a_slow_room_says_when(api: Api, ann: Profile, bob: Profile, group: Room) -> None:
    api(ann).patch(f"/api/rooms/{group.pk}/", {"slow_mode": 30})
    assert api(bob).post(history(group), {"text": "x"}).status_code == 201
    answer = api(bob).post(history(group), {"text": "x"})
    wait = refused(answer, 429, "rate_limited")["retry_after"]
    assert answer["Retry-After"] == str(wait)
    assert 0 < wait <= 30
