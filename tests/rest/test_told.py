"""Who is told what: of a private room nobody outside learns that it exists, whichever path they ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat.actions.bans import ban_member
from chat.actions.members import join_room, leave_room
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import say

pytestmark = pytest.mark.django_db

# Method, path, body, and the status of someone who is not in a public room. A private one is always 404.
PATHS: list[tuple[str, str, Any, int]] = [
    ("get", "rooms/{room}/", None, 200),
    ("patch", "rooms/{room}/", {"title": "x"}, 403),
    ("get", "rooms/{room}/messages/", None, 403),
    ("post", "rooms/{room}/messages/", {"text": "x"}, 403),
    ("post", "messages/", {"room": "{room}", "text": "x"}, 403),
    ("get", "messages/{message}/", None, 403),
    ("patch", "messages/{message}/", {"text": "x"}, 403),
    ("patch", "messages/{message}/", {}, 403),
    ("delete", "messages/{message}/", None, 403),
    ("post", "messages/{message}/pin/", None, 403),
    ("delete", "messages/{message}/pin/", None, 403),
    ("get", "rooms/{room}/pins/", None, 403),
    ("post", "rooms/{room}/read/", {"seq": 1}, 403),
    ("post", "rooms/{room}/unread/", {"seq": 1}, 403),
    ("patch", "rooms/{room}/me/", {"pinned": True}, 403),
    ("patch", "rooms/{room}/me/", {}, 403),
    ("get", "rooms/{room}/log/", None, 403),
    ("get", "rooms/{room}/members/", None, 403),
    ("get", "groups/{room}/", None, 200),
    ("patch", "groups/{room}/", {"title": "x"}, 403),
    ("delete", "groups/{room}/", None, 403),
    ("post", "groups/{room}/leave/", None, 403),
    ("get", "groups/{room}/members/", None, 403),
    ("post", "groups/{room}/members/", {"user": "{cat}"}, 403),
    ("get", "groups/{room}/members/{ann}/", None, 403),
    ("patch", "groups/{room}/members/{ann}/", {"role": "member"}, 403),
    ("patch", "groups/{room}/members/{ann}/", {}, 403),
    ("delete", "groups/{room}/members/{ann}/", None, 403),
    ("get", "groups/{room}/bans/", None, 403),
    ("post", "groups/{room}/bans/", {"user": "{cat}"}, 403),
    ("get", "groups/{room}/bans/{ann}/", None, 403),
    ("delete", "groups/{room}/bans/{ann}/", None, 403),
]
CODES = {403: "forbidden", 404: "not_found"}


@pytest.fixture
def former(group: Room, den: Room, bob: Profile) -> Profile:
    """Bob, who was in both rooms."""
    leave_room(bob, group.pk)
    leave_room(bob, den.pk)
    return bob


@pytest.fixture
def banned(group: Room, den: Room, ann: Profile, bob: Profile) -> Profile:
    """Bob, who was in both rooms and is kept out of them."""
    for room in (group, den):
        ban_member(ann, room.pk, bob.pk, "secret")
    return bob


def ask(client: Any, method: str, path: str, body: Any, **names: Any) -> Any:
    filled = json.loads(json.dumps(body).replace("{room}", names["room"])) if body else body
    if body and "{cat}" in json.dumps(body):
        filled = {"user": names["cat"]}
    return getattr(client, method)(f"/api/{path.format(**names)}", filled, format="json")


@pytest.mark.parametrize(("method", "path", "body", "status"), PATHS)
@pytest.mark.parametrize("who", ["cat", "former", "banned"])
def test_outside(
    request: pytest.FixtureRequest,
    api: Api,
    ann: Profile,
    cat: Profile,
    group: Room,
    den: Room,
    who: str,
    method: str,
    path: str,
    body: Any,
    status: int,
) -> None:
    asking = api(request.getfixturevalue(who))
    people = {"ann": str(ann.pk), "cat": str(cat.pk)}
    for room, expected in ((group, status), (den, 404)):
        message = say(ann, room, "secret")
        names = {**people, "room": str(room.pk), "message": message.pk}
        answer = ask(asking, method, path, body, **names)
        assert "secret" not in answer.content.decode()
        if expected in CODES:
            refused(answer, expected, CODES[expected])
        else:
            assert (answer.status_code, answer.json()["me"]) == (expected, None)


@pytest.mark.parametrize(("method", "path", "body", "status"), PATHS)
def test_a_private_room_is_answered_like_none_at_all(
    api: Api,
    ann: Profile,
    cat: Profile,
    den: Room,
    method: str,
    path: str,
    body: Any,
    status: int,
) -> None:
    people = {"ann": str(ann.pk), "cat": str(cat.pk)}
    nowhere = "00000000-0000-7000-8000-000000000000"
    hidden = {"room": str(den.pk), "message": str(say(ann, den).pk)}
    nothing = {"room": nowhere, "message": nowhere}
    there = ask(api(cat), method, path, body, **people, **hidden)
    not_there = ask(api(cat), method, path, body, **people, **nothing)
    assert (there.status_code, there.json()) == (not_there.status_code, not_there.json())


def test_a_private_group_is_joined_by_nobody_and_a_public_one_by_all(
    api: Api, cat: Profile, former: Profile, group: Room, den: Room
) -> None:
    for one in (cat, former):
        refused(api(one).post(f"/api/groups/{den.pk}/join/"), 404, "not_found")
        assert api(one).post(f"/api/groups/{group.pk}/join/").status_code == 200


def test_a_banned_person_is_told_so_where_they_would_join_a_public_group(
    api: Api, banned: Profile, group: Room, den: Room
) -> None:
    answer = api(banned).post(f"/api/groups/{group.pk}/join/")
    assert refused(answer, 403, "forbidden")["detail"] == "You are banned from this room."
    told = refused(api(banned).post(f"/api/groups/{den.pk}/join/"), 404, "not_found")
    assert told["detail"] == "Not found."
    listed = api(banned).get("/api/groups/?search=").json()["results"]
    assert [(one["title"], one["me"]) for one in listed] == [("Harbour", None)]
    assert api(banned).get("/api/groups/").json()["results"] == []
    cursors = {str(group.pk): 1, str(den.pk): 1}
    epoch = api(banned).post("/api/sync/").json()["epoch"]
    found = api(banned).post("/api/sync/", {"epoch": epoch, "cursors": cursors}, format="json")
    assert set(found.json()["left"]) == set(cursors)
    assert not cursors.keys() & found.json()["rooms"].keys()


def test_a_member_without_the_right_is_forbidden(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room, den: Room
) -> None:
    join_room(cat, group.pk)
    for room in (group, den):
        message = say(ann, room)
        for method, path, body in (
            ("patch", f"rooms/{room.pk}/", {"title": "x"}),
            ("delete", f"groups/{room.pk}/", None),
            ("post", f"groups/{room.pk}/members/", {"user": str(cat.pk)}),
            ("patch", f"groups/{room.pk}/members/{ann.pk}/", {"role": "member"}),
            ("patch", f"groups/{room.pk}/members/{ann.pk}/", {"muted_until": None}),
            ("delete", f"groups/{room.pk}/members/{ann.pk}/", None),
            ("get", f"groups/{room.pk}/bans/", None),
            ("post", f"groups/{room.pk}/bans/", {"user": str(cat.pk)}),
            ("get", f"groups/{room.pk}/bans/{ann.pk}/", None),
            ("delete", f"groups/{room.pk}/bans/{ann.pk}/", None),
            ("patch", f"messages/{message.pk}/", {"text": "x"}),
            ("delete", f"messages/{message.pk}/", None),
            ("post", f"messages/{message.pk}/pin/", None),
            ("delete", f"messages/{message.pk}/pin/", None),
        ):
            answer = getattr(api(bob), method)(f"/api/{path}", body, format="json")
            refused(answer, 403, "forbidden")


def test_lists_name_no_room_of_others(
    api: Api, ann: Profile, cat: Profile, group: Room, den: Room, pair: Room
) -> None:
    say(ann, den, "secret")
    paths = ("rooms/", "rooms/?search=den", "groups/", "groups/?search=", "direct/")
    for path in paths:
        seen = api(cat).get(f"/api/{path}").content.decode()
        assert "Den" not in seen
        assert "secret" not in seen
        assert str(pair.pk) not in seen
    found = api(cat).post("/api/sync/").json()
    assert {*found["rooms"]} | {room["id"] for room in found["joined"]} == {
        room["id"] for room in api(cat).get("/api/rooms/").json()["results"]
    }
