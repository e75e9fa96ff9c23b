"""The log and sync over REST: from a cursor on, all of it or `reset`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chat.actions.members import leave_room
from chat.actions.rooms import create_group
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db


def log(room: Room) -> str:
    return f"/api/rooms/{room.pk}/log/"


def test_a_log_is_read_from_a_cursor_on(api: Api, ann: Profile, bob: Profile, group: Room) -> None:
    sent = say(ann, group, "Ahoy")
    first = api(bob).get(log(group), {"limit": 2}).json()
    assert set(first) == {"events", "head", "epoch", "reset"}
    assert ([one["seq"] for one in first["events"]], first["head"]) == ([1, 2], sent.seq)
    rest = api(bob).get(log(group), {"after": 2}).json()
    assert [one["seq"] for one in rest["events"]] == list(range(3, sent.seq + 1))
    assert rest["events"][-1]["message"]["text"] == "Ahoy"
    assert rest["reset"] is None
    ahead = api(bob).get(log(group), {"after": 2**63 - 1}).json()
    assert (ahead["events"], ahead["reset"]) == ([], "ahead")


@pytest.mark.parametrize(
    "wrong", [{"after": -1}, {"after": 2**63}, {"after": "x"}, {"limit": "x"}], ids=repr
)
def test_a_cursor_that_is_none_is_refused(
    api: Api, bob: Profile, group: Room, wrong: dict[str, Any]
) -> None:
    fields = refused(api(bob).get(log(group), wrong), 400, "invalid")["fields"]
    assert fields.keys() == wrong.keys()


def test_sync_brings_what_is_missing_joined_and_left(
    api: Api, ann: Profile, bob: Profile, group: Room, den: Room, pair: Room
) -> None:
    epoch = api(bob).get(log(group)).json()["epoch"]
    leave_room(bob, den.pk)
    sent = say(ann, group, "Ahoy")
    stranger = uuid4()
    cursors = {str(group.pk): sent.seq - 1, str(den.pk): 1, str(stranger): 5}
    found = api(bob).post("/api/sync/", {"epoch": epoch, "cursors": cursors}, format="json").json()
    assert set(found) == {"epoch", "rooms", "joined", "left", "more"}
    assert found["rooms"].keys() == {str(group.pk)}
    missing = found["rooms"][str(group.pk)]
    assert [one["message"]["text"] for one in missing["events"]] == ["Ahoy"]
    assert (missing["head"], missing["reset"]) == (sent.seq, None)
    assert {room["id"] for room in found["joined"]} == {str(pair.pk), str(own_log(bob).pk)}
    assert set(found["left"]) == {str(den.pk), str(stranger)}
    assert found["more"] is False


def test_sync_of_another_epoch_starts_afresh(api: Api, bob: Profile, group: Room) -> None:
    body = {"epoch": "another", "cursors": {str(group.pk): 1}}
    found = api(bob).post("/api/sync/", body, format="json").json()
    assert found["rooms"].keys() == {str(group.pk)}
    assert found["rooms"][str(group.pk)]["reset"] == "epoch"
    assert found["rooms"][str(group.pk)]["events"] == []


def test_sync_without_cursors_tells_of_all_rooms(api: Api, bob: Profile, group: Room) -> None:
    found = api(bob).post("/api/sync/").json()
    assert found["rooms"] == {}
    assert {room["id"] for room in found["joined"]} == {str(group.pk), str(own_log(bob).pk)}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("epoch", "\x00"),
        ("epoch", "x" * 201),
        ("epoch", {}),
        ("cursors", []),
        ("cursors", {"room": 1}),
        ("cursors", {"\x00": 1}),
        ("cursors", {str(uuid4()): -1}),
        ("cursors", {str(uuid4()): 2**63}),
        ("cursors", {str(uuid4()): "x"}),
        ("cursors", {str(uuid4()): 1 for _ in range(1_001)}),
    ],
    ids=lambda wrong: repr(wrong)[:20],
)
def test_what_is_no_set_of_cursors_is_refused(
    api: Api, bob: Profile, field: str, wrong: Any
) -> None:
    answer = api(bob).post("/api/sync/", {field: wrong}, format="json")
    assert refused(answer, 400, "invalid")["fields"].keys() == {field}


def test_sync_comes_in_parts_of_500_events(api: Api, ann: Profile) -> None:
    rooms = [create_group(ann, title=str(n), visibility="private")[0] for n in range(2)]
    epoch = api(ann).get(log(rooms[0])).json()["epoch"]
    for room in rooms:
        for _ in range(260):
            say(ann, room)
    cursors = {str(own_log(ann).pk): own_log(ann).head, **{str(room.pk): 2 for room in rooms}}
    seen = 0
    for more in (True, False):
        body = {"epoch": epoch, "cursors": cursors}
        found = api(ann).post("/api/sync/", body, format="json").json()
        assert (found["more"], found["joined"]) == (more, [])
        for room, part in found["rooms"].items():
            assert part["events"][0]["seq"] == cursors[room] + 1
            cursors[room] = part["events"][-1]["seq"]
            seen += len(part["events"])
    assert seen == 520
