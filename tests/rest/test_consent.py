"""Consent and deleted accounts as REST tells of them."""

from __future__ import annotations

import pytest

from chat.actions.accounts import end_person
from chat.models import Profile, Room
from tests.rest.conftest import Api, refused
from tests.scene import say

pytestmark = pytest.mark.django_db

GONE = {"username": "", "display_name": "", "avatar_url": None, "deleted": True}


def test_a_refusal_names_the_people_and_adds_nobody(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    chosen = api(cat).patch("/api/users/me/", {"groups_from": "nobody"}, format="json")
    assert (chosen.json()["groups_from"], chosen.json()["direct_from"]) == ("nobody", "everyone")
    body = {"title": "New", "members": [str(bob.pk), str(cat.pk)]}
    told = [
        refused(api(ann).post("/api/groups/", body, format="json"), 403, "forbidden"),
        refused(
            api(ann).post(f"/api/groups/{group.pk}/members/", {"user": str(cat.pk)}),
            403,
            "forbidden",
        ),
    ]
    assert told[0] == told[1]
    assert told[0]["fields"] == {
        "members": {str(cat.pk): ["This person cannot be added by others."]}
    }
    assert not Room.objects.filter(title="New").exists()
    back = api(cat).patch("/api/users/me/", {"groups_from": None}, format="json")
    assert back.json()["groups_from"] is None
    assert api(ann).post("/api/groups/", body, format="json").status_code == 201


def test_a_deleted_account_is_shown_as_one_and_found_nowhere(
    api: Api, ann: Profile, bob: Profile, pair: Room, group: Room
) -> None:
    say(bob, pair, "Bye.")
    say(bob, group, "Bye.")
    end_person(bob)
    gone = {"id": str(bob.pk), **GONE}
    client = api(ann)
    assert client.get(f"/api/users/{bob.pk}/").json() == gone
    for query in ("", "?search=bob"):
        found = client.get(f"/api/users/{query}").json()["results"]
        assert str(bob.pk) not in {one["id"] for one in found}
    room = client.get(f"/api/rooms/{pair.pk}/").json()
    assert (room["peer"], room["frozen"]) == (gone, True)
    assert client.get("/api/rooms/?search=bob").json()["results"] == []
    members = client.get(f"/api/rooms/{pair.pk}/members/").json()["results"]
    assert gone in [one["user"] for one in members]
    for place in (pair, group):
        history = client.get(f"/api/rooms/{place.pk}/messages/").json()["results"]
        assert history[-1]["sender"] == gone
    answer = client.post(f"/api/rooms/{pair.pk}/messages/", {"text": "Hello?"})
    assert refused(answer, 403, "forbidden")["detail"] == "This person cannot be messaged."
    log = client.get(f"/api/rooms/{group.pk}/log/?after=3").json()["events"]
    assert (log[-1]["type"], log[-1]["membership"]["user"]) == ("member.left", gone)
