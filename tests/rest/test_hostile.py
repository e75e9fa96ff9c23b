"""What someone may try who knows the API well: ids of elsewhere, and queries that reach far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest

from chat.actions.members import join_room, leave_room
from chat.actions.messages import pin_message
from chat.actions.reads import mark_read
from chat.actions.rooms import create_group, open_direct
from chat.models import Message, Profile, Room
from tests.access_scene import stored
from tests.documents import REST
from tests.rest.conftest import Api, refused
from tests.scene import say

pytestmark = pytest.mark.django_db

MOMENT = re.compile(r"20\d\d-\d\d-\d\dT")
NOWHERE = "00000000-0000-7000-8000-000000000000"


# Ids of elsewhere under a path of here.


@pytest.fixture
def elsewhere(cat: Profile, ann: Profile) -> Room:
    """A room that cat owns and nobody of the others is in."""
    room, _ = create_group(cat, title="Vault", visibility="private", history="all")
    say(cat, room, "combination")
    return room


def test_a_person_of_another_room_is_none_of_this_one(
    api: Api, ann: Profile, cat: Profile, group: Room, elsewhere: Room
) -> None:
    path = f"/api/groups/{group.pk}/members/{cat.pk}/"
    before = stored()
    for method, body in (("get", None), ("patch", {"role": "owner"}), ("delete", None)):
        refused(getattr(api(ann), method)(path, body, format="json"), 404, "not_found")
    assert stored() == before


def test_a_message_of_another_room_is_not_answered_here(
    api: Api, ann: Profile, group: Room, den: Room, elsewhere: Room
) -> None:
    """Whether it is in a room of one's own, in a foreign one, or nowhere, it is said in the same words."""
    theirs = Message.objects.filter(room=elsewhere).latest("seq").pk
    mine = say(ann, den).pk
    before = stored()
    told = set()
    for other in (theirs, mine, uuid4()):
        body = {"text": "Yes.", "reply_to": str(other)}
        for path, more in (
            (f"rooms/{group.pk}/messages/", {}),
            ("messages/", {"room": str(group.pk)}),
        ):
            answer = api(ann).post(f"/api/{path}", {**body, **more}, format="json")
            assert answer.status_code in {400, 404}
            told.add(answer.content)
    assert len(told) == 1
    assert stored() == before


def test_an_id_of_anothers_message_sends_nothing_and_shows_nothing(
    api: Api, ann: Profile, group: Room, elsewhere: Room
) -> None:
    theirs = Message.objects.filter(room=elsewhere).latest("seq")
    answer = api(ann).post(
        f"/api/rooms/{group.pk}/messages/", {"id": str(theirs.pk), "text": "combination"}
    )
    refused(answer, 409, "conflict")
    assert str(elsewhere.pk) not in answer.content.decode()


# What others have is in no answer.


def paths_to_read() -> Iterator[str]:
    for path, methods in REST["paths"].items():
        if "get" in methods:
            yield path


@pytest.mark.parametrize("who", ["stranger", "former"])
@pytest.mark.parametrize("path", list(paths_to_read()))
def test_nothing_of_a_room_is_told_outside(
    api: Api, ann: Profile, bob: Profile, cat: Profile, path: str, who: str
) -> None:
    """Its words, its title, its people's directness: asked by one never in it, or no longer."""
    room, _ = create_group(ann, title="Sesame", visibility="private", topic="Almonds", members=[])
    if who == "former":
        create_group(ann, title="Both", visibility="public", members=[cat.pk])
        Room.objects.filter(pk=room.pk).update(visibility="public")
        join_room(cat, room.pk)
        leave_room(cat, room.pk)
        Room.objects.filter(pk=room.pk).update(visibility="private")
    pair, _ = open_direct(ann, bob.pk)
    said = say(ann, room, "Pistachio")
    say(bob, pair, "Walnut")
    pin_message(ann, said.pk)
    mark_read(ann, room.pk, said.seq)
    names = {"room": room.pk, "message": said.pk, "user": ann.pk, "device": uuid4()}
    for query in ("", "?search=s", "?search=Sesame", "?limit=100", "?after=0&limit=100"):
        answer = api(cat).get(f"/api{path.removeprefix('/api').format(**names)}{query}")
        told = answer.content.decode()
        for secret in ("Sesame", "Almonds", "Pistachio", "Walnut", str(pair.pk), str(said.pk)):
            assert secret not in told, (query, told)


def test_what_was_missed_tells_nothing_of_foreign_rooms(
    api: Api, ann: Profile, cat: Profile, elsewhere: Room
) -> None:
    epoch = api(ann).post("/api/sync/").json()["epoch"]
    body = {"epoch": epoch, "cursors": {str(elsewhere.pk): 0, NOWHERE: 0}}
    told = api(ann).post("/api/sync/", body, format="json").json()
    # There and not there are told alike.
    assert set(told["left"]) == {str(elsewhere.pk), NOWHERE}
    assert str(elsewhere.pk) not in told["rooms"]
    assert "combination" not in str(told)


# Queries that reach for more than was meant.

LISTS = [
    "users/",
    "rooms/",
    "groups/",
    "groups/?search=",
    "groups/{room}/members/",
    "rooms/{room}/messages/",
    "rooms/{room}/pins/",
    "rooms/{room}/log/",
    "direct/",
    "auth/devices/",
]
REACHING = [
    "ordering=password",
    "ordering=-user__password",
    "order_by=?",
    "sort=user__password",
    "user__password__startswith=pbkdf2",
    "user__is_staff=true",
    "username__regex=^a.*$",
    "room__memberships__user__email=x",
    "fields=*",
    "include=user,password",
    "expand=~all",
    "q='+OR+1=1--",
]


@pytest.mark.parametrize("path", LISTS)
def test_unknown_parameter_is_refused(
    api: Api, ann: Profile, bob: Profile, group: Room, pair: Room, path: str
) -> None:
    say(ann, group)
    path = f"/api/{path.format(room=group.pk)}"
    sign = "&" if "?" in path else "?"
    for query in REACHING:
        answer = api(ann).get(f"{path}{sign}{query}")
        name = query.partition("=")[0]
        assert refused(answer, 400, "invalid")["fields"].keys() == {name}
    plain = api(ann).get(path)
    assert api(ann).get(f"{path}{sign}format=json").content == plain.content


SQL = [
    "' OR '1'='1",
    "'; DROP TABLE chat_room; --",
    '" OR ""="',
    "1 UNION SELECT password FROM auth_user",
    "\\'; SELECT pg_sleep(9); --",
    "a & b | !c:* <-> (d)",
    "%" * 500,
    "_" * 500,
    "%_" * 100 + "\\",
    "\\",
    "{}[]()*+?.^$|",
    "\u0130\u0131\u1e9e\ufb03",
    "\U0001f600" * 100,
    "\u202e\u2066",
]


@pytest.mark.parametrize("text", SQL, ids=range(len(SQL)))
def test_a_search_is_for_words_and_nothing_else(
    api: Api, ann: Profile, bob: Profile, group: Room, text: str
) -> None:
    for path in ("users/", "rooms/", "groups/"):
        answer = api(ann).get(f"/api/{path}", {"search": text})
        if answer.status_code == 400:
            refused(answer, 400, "invalid")
        else:
            assert answer.json()["results"] == []
    assert Room.objects.filter(pk=group.pk).exists()


HUGE = ["-1", "0", "1e9", "1.5", "10" + "0" * 20, "9" * 500, "NaN", "0x10", "\u0661", "", " 1"]


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("name", ["limit", "before", "after", "around"])
def test_a_place_that_no_log_has_is_refused_or_empty(
    api: Api, ann: Profile, group: Room, name: str, number: str
) -> None:
    say(ann, group)
    for path in (f"rooms/{group.pk}/messages/", f"rooms/{group.pk}/log/"):
        answer = api(ann).get(f"/api/{path}", {name: number})
        if answer.status_code != 200:
            refused(answer, 400, "invalid")


def test_a_page_of_one_list_opens_no_other(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room, elsewhere: Room
) -> None:
    """A cursor says where a list goes on, never whose list it is."""
    for number in range(3):
        create_group(cat, title=f"Vault {number}", visibility="private")
    theirs = api(cat).get("/api/groups/?limit=1").json()["next"].partition("?")[2]
    told = api(ann).get(f"/api/groups/?{theirs}")
    assert told.status_code == 200
    assert "Vault" not in told.content.decode()
    refused(api(ann).get(f"/api/groups/{elsewhere.pk}/members/?{theirs}"), 404, "not_found")
