"""Rooms over REST: the inbox, one of them, and where one is in it."""

from __future__ import annotations

from typing import Any

import pytest

from chat.actions.members import join_room, leave_room
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db

NEUTRAL = {
    "id",
    "kind",
    "title",
    "topic",
    "visibility",
    "history",
    "avatar_url",
    "head",
    "created_at",
    "members_count",
    "frozen",
    "slow_mode",
}


def titles(answer: Any) -> list[str]:
    return [room["title"] or room["kind"] for room in answer.json()["results"]]


def test_the_inbox_is_by_last_activity_and_counts_what_is_unread(
    api: Api, ann: Profile, bob: Profile, group: Room, den: Room, pair: Room
) -> None:
    say(ann, group, "one")
    say(ann, group, "two")
    answer = api(bob).get("/api/rooms/")
    assert titles(answer) == ["Harbour", "direct", "Den", "self"]
    harbour, direct, *_ = answer.json()["results"]
    assert set(harbour) == {*NEUTRAL, "last_message", "me", "peer"}
    assert (harbour["me"]["unread"], harbour["last_message"]["text"]) == (2, "two")
    assert direct["peer"]["username"] == "ann"


def test_the_inbox_is_narrowed(api: Api, bob: Profile, group: Room, den: Room, pair: Room) -> None:
    api(bob).patch(f"/api/rooms/{den.pk}/me/", {"archived": True})

    def narrowed(**by: Any) -> set[str]:
        return set(titles(api(bob).get("/api/rooms/", by)))

    assert narrowed(kind="group") == {"Harbour", "Den"}
    assert narrowed(archived="true") == {"Den"}
    assert narrowed(archived="false", kind="group") == {"Harbour"}
    assert narrowed(search="harb") == {"Harbour"}
    assert narrowed(search="ANN") == {"direct"}
    assert narrowed(kind="", archived="", search="") == {"Harbour", "Den", "direct", "self"}
    for wrong in ({"kind": "mars"}, {"archived": "maybe"}, {"search": "x" * 101}):
        fields = refused(api(bob).get("/api/rooms/", wrong), 400, "invalid")["fields"]
        assert fields.keys() == wrong.keys()


def test_a_passer_by_sees_a_public_room_without_its_words(
    api: Api, ann: Profile, cat: Profile, group: Room
) -> None:
    say(ann, group, "secret")
    room = api(cat).get(f"/api/rooms/{group.pk}/").json()
    assert (room["title"], room["me"], room["last_message"]) == ("Harbour", None, None)


@pytest.mark.parametrize("door", ["rooms", "groups"])
def test_an_admin_sets_a_group_up(
    api: Api, ann: Profile, bob: Profile, group: Room, door: str
) -> None:
    path = f"/api/{door}/{group.pk}/"
    refused(api(ann).patch(path, {"topic": "boats", "head": 0, "kind": "self"}), 400, "invalid")
    changed = api(ann).patch(path, {"topic": "boats", "frozen": True}, format="json")
    assert changed.status_code == 200
    assert (changed.json()["topic"], changed.json()["frozen"]) == ("boats", True)
    assert (changed.json()["kind"], changed.json()["head"]) == ("group", group.head + 1)
    assert api(ann).patch(path).json() == api(ann).get(path).json()
    refused(api(bob).patch(path, {"topic": "fish"}), 403, "forbidden")
    assert api(bob).patch(path, {}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "\x00"},
        {"title": "t" * 201},
        {"visibility": "mars"},
        {"visibility": None},
        {"history": []},
        {"avatar_url": "ftp://example.org/"},
        {"frozen": "perhaps"},
        {"slow_mode": -1},
        {"slow_mode": 10**30},
    ],
    ids=repr,
)
def test_a_setting_that_is_refused_says_where(
    api: Api, ann: Profile, group: Room, change: dict[str, Any]
) -> None:
    answer = api(ann).patch(f"/api/rooms/{group.pk}/", change, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == change.keys()


def test_a_form_leaves_alone_what_it_does_not_name(api: Api, ann: Profile, group: Room) -> None:
    path = f"/api/rooms/{group.pk}/"
    api(ann).patch(path, {"frozen": True})
    room = api(ann).patch(path, {"topic": "boats"}, format="multipart").json()
    assert (room["frozen"], room["topic"]) == (True, "boats")


def test_reading_moves_the_cursor_up_only(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    first, second = say(ann, group), say(ann, group)
    path = f"/api/rooms/{group.pk}/read/"
    assert api(bob).post(path, {"seq": first.seq}).json()["unread"] == 1
    done = api(bob).post(path, {"seq": 2**63 - 1}).json()
    assert (done["unread"], done["read_seq"]) == (0, second.seq)
    assert api(bob).post(path, {"seq": 0}).json()["read_seq"] == second.seq


@pytest.mark.parametrize("door", ["read", "unread"])
@pytest.mark.parametrize("seq", [-1, 2**63, 10**30, 1.5, True, None, "x", "\x00", [], {}])
def test_a_place_that_is_none_is_refused(
    api: Api, bob: Profile, group: Room, door: str, seq: Any
) -> None:
    answer = api(bob).post(f"/api/rooms/{group.pk}/{door}/", {"seq": seq}, format="json")
    assert "seq" in refused(answer, 400, "invalid")["fields"]


def test_marking_unread_counts_from_there_and_keeps_the_cursor(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    first, last = say(ann, group), say(ann, group)
    api(bob).post(f"/api/rooms/{group.pk}/read/", {"seq": last.seq})
    mine = api(bob).post(f"/api/rooms/{group.pk}/unread/", {"seq": first.seq}).json()
    assert (mine["unread"], mine["unread_from"], mine["read_seq"]) == (2, first.seq, last.seq)


def test_one_keeps_a_room_in_ones_own_way(
    api: Api, ann: Profile, bob: Profile, group: Room
) -> None:
    path = f"/api/rooms/{group.pk}/me/"
    given = {"pinned": True, "notify": "none"}
    refused(api(bob).patch(path, {**given, "role": "owner", "read_seq": 0}), 400, "invalid")
    mine = api(bob).patch(path, given, format="json").json()
    assert (mine["pinned"], mine["notify"], mine["role"]) == (True, "none", "member")
    assert api(bob).patch(path).json() == mine
    assert api(ann).patch(path).json()["pinned"] is False
    refused(api(bob).patch(path, {"notify": "loudly"}), 400, "invalid")


def test_ones_own_log_is_a_room(api: Api, ann: Profile) -> None:
    room = api(ann).get(f"/api/rooms/{own_log(ann).pk}/").json()
    assert (room["kind"], room["peer"]) == ("self", None)


def test_nothing_from_before_is_shown_to_who_came_later(
    api: Api, ann: Profile, bob: Profile, cat: Profile, pier: Room
) -> None:
    old = say(ann, pier, "old")
    join_room(cat, pier.pk)
    answer = say(bob, pier, "answer", reply_to=old.pk)
    assert api(cat).get(f"/api/rooms/{pier.pk}/").json()["me"]["unread"] == 1
    seen = api(cat).get(f"/api/rooms/{pier.pk}/messages/").json()
    assert [one["id"] for one in seen["results"]] == [str(answer.pk)]
    assert seen["results"][0]["reply_to"] == {
        "id": str(old.pk),
        "sender": None,
        "text": "",
        "deleted": False,
    }
    refused(api(cat).get(f"/api/messages/{old.pk}/"), 404, "not_found")
    events = api(cat).get(f"/api/rooms/{pier.pk}/log/").json()["events"]
    assert [one["seq"] for one in events] == list(range(1, answer.seq + 1))
    assert {one["type"] for one in events[: old.seq]} == {"hidden"}
    assert "old" not in api(cat).get(f"/api/rooms/{pier.pk}/log/").content.decode()


def test_who_comes_back_cannot_reach_past_it_by_a_repeat_or_an_edit(
    api: Api, ann: Profile, bob: Profile, pier: Room
) -> None:
    old = say(ann, pier, "old")
    body = {"id": "0198c7a0-0000-7000-8000-000000000001", "text": "x", "reply_to": str(old.pk)}
    assert api(bob).post(f"/api/rooms/{pier.pk}/messages/", body).status_code == 201
    leave_room(bob, pier.pk)
    join_room(bob, pier.pk)
    repeat = api(bob).post(f"/api/rooms/{pier.pk}/messages/", body)
    assert (repeat.status_code, repeat.json()["reply_to"]["text"]) == (200, "")
    refused(api(bob).patch(f"/api/messages/{body['id']}/", {"text": "y"}), 404, "not_found")
