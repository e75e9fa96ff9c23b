"""Reading has limits: requests in a time, people that a search finds, and what the documents cost."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from chat.actions.members import leave_room
from chat.actions.rooms import open_direct
from chat.limits import reads, store
from chat.models import Profile, Room
from chat.queries.people import people_for
from chat.rest.docs import stored
from chat.websocket.limits import rate_told
from tests.rest.conftest import Api, refused

pytestmark = pytest.mark.django_db

# A port that is nobody's.
NOWHERE = "redis://127.0.0.1:1"


# Requests in a time.


def test_one_read_too_many_is_refused_with_the_time_to_wait(
    api: Api, ann: Profile, bob: Profile, group: Room, configured: Any
) -> None:
    configured(LIMIT_READS="4/minute")
    path = f"/api/rooms/{group.pk}/messages/"
    # A refused read counts too, and so does `sync/`, which reads.
    asked = [
        api(ann).get(path),
        api(ann).get(f"/api/rooms/{uuid4()}/"),
        api(ann).get("/api/users/?limt=1"),
        api(ann).post("/api/sync/", {"cursors": {}}, format="json"),
    ]
    assert [one.status_code for one in asked] == [200, 404, 400, 200]
    answer = api(ann).get(path)
    told = refused(answer, 429, "rate_limited")
    assert 0 < told["retry_after"] <= 60
    assert answer["Retry-After"] == str(told["retry_after"])
    refused(api(ann).post("/api/sync/", {"cursors": {}}, format="json"), 429, "rate_limited")
    # Others read, and who read too much still writes.
    assert api(bob).get(path).status_code == 200
    assert api(ann).post(path, {"text": "hello"}).status_code == 201
    assert api(ann).delete("/api/auth/devices/").status_code == 204


def test_reads_without_a_sign_in_count_for_the_address(
    api: Api, ann: Profile, configured: Any
) -> None:
    configured(LIMIT_READS_ADDRESS="3/minute")
    paths = ("schema/", "rooms/", "nowhere/", "")
    asked = [APIClient().get(f"/api/{path}").status_code for path in paths]
    assert asked == [200, 401, 404, 429]
    elsewhere = APIClient(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.get("/api/").status_code == 200
    assert api(ann).get("/api/").status_code == 200


@pytest.mark.parametrize("rate", ["", None])
def test_no_limit_of_reads_is_one_too(api: Api, ann: Profile, configured: Any, rate: Any) -> None:
    configured(LIMIT_READS=rate, LIMIT_READS_ADDRESS=rate)
    assert {api(ann).get("/api/").status_code for _ in range(20)} == {200}
    assert rate_told("LIMIT_READS") is None


def test_few_reads_ask_no_store(configured: Any) -> None:
    # Asked, the store would be left alone from then on.
    configured(LIMIT_READS="100/minute", LIMITS_STORAGE=f"{NOWHERE}/{uuid4().int % 1000}")
    account = uuid4()
    assert [reads.spend(account) for _ in range(4)] == [True, True, True, False]
    with store.asking():
        pass


def test_reads_and_writes_are_counted_apart(
    api: Api, ann: Profile, group: Room, configured: Any
) -> None:
    configured(LIMIT_READS="2/minute", LIMIT_WRITES="2/minute")
    path = f"/api/rooms/{group.pk}/messages/"
    asked = [api(ann).get(path), api(ann).get(path)]
    asked += [api(ann).post(path, {"text": "x"}), api(ann).post(path, {"text": "x"})]
    assert [one.status_code for one in asked] == [200, 200, 201, 201]


# People.


def found(client: APIClient, **query: Any) -> list[str]:
    answer = client.get("/api/users/", query)
    assert answer.status_code == 200, answer.content
    return [one["username"] for one in answer.json()["results"]]


def test_without_a_search_only_people_of_my_rooms_are_listed(
    api: Api, ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    assert found(api(ann)) == ["ann", "bob"]
    assert found(api(ann), search="c") == []
    assert found(api(ann), search="b") == ["bob"]
    assert found(api(cat)) == ["cat"]
    open_direct(cat, ann.pk)
    assert found(api(cat)) == ["ann", "cat"]
    leave_room(bob, group.pk)
    assert found(api(bob)) == ["bob"]


def test_a_search_finds_anybody_but_only_a_page(
    api: Api, ann: Profile, person: Any, configured: Any
) -> None:
    for number in range(4):
        person(f"zoe{number}")
    configured(PAGE_MAX=3)
    answer = api(ann).get("/api/users/", {"search": "zo", "limit": 100}).json()
    assert [one["username"] for one in answer["results"]] == ["zoe0", "zoe1", "zoe2"]
    assert (answer["next"], answer["previous"]) == (None, None)
    # A cursor is easily made up.
    forged = b64encode(b"p=zoe2").decode()
    told = refused(api(ann).get("/api/users/", {"search": "zo", "cursor": forged}), 400, "invalid")
    assert told["fields"].keys() == {"cursor"}
    assert found(api(ann), search="zoe3") == ["zoe3"]


def test_a_closed_team_has_the_whole_directory(
    api: Api, ann: Profile, bob: Profile, cat: Profile, configured: Any
) -> None:
    configured(DIRECTORY=True, PAGE_SIZE=2)
    page = api(ann).get("/api/users/").json()
    assert [one["username"] for one in page["results"]] == ["ann", "bob"]
    page = api(ann).get(page["next"]).json()
    assert [one["username"] for one in page["results"]] == ["cat"]


def test_listing_people_is_one_query(
    ann: Profile, group: Room, den: Room, django_assert_num_queries: Any
) -> None:
    for search in ("", "b", "bo"):
        with django_assert_num_queries(1):
            list(people_for(ann, search)[0])


# Documents.


@pytest.mark.parametrize("path", ["/api/schema/", "/api/asyncapi/"])
def test_document_is_written_once_and_asked_for_by_its_tag(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    first = client.get(path)
    assert first.json()["info"]["title"].startswith("Parley")
    monkeypatch.setattr(stored, "_stored", lambda document: pytest.fail("written again"))
    again = client.get(path)
    assert (again.content, again["ETag"]) == (first.content, first["ETag"])
    assert again["Cache-Control"] == "no-cache"
    known = client.get(path, headers={"if-none-match": first["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert known["ETag"] == first["ETag"]
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_document_of_the_sockets_names_the_host_that_was_asked(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    servers = [
        client.get("/api/asyncapi/", headers={"host": f"h{number}.example"}).json()["servers"]
        for number in range(20)
    ]
    assert [one["here"]["host"] for one in servers] == [
        f"h{number}.example" for number in range(20)
    ]
    assert stored._asyncapi.cache_info().currsize <= stored.HOSTS_MAX
    secure = client.get("/api/asyncapi/", secure=True).json()["servers"]["here"]
    assert secure["protocol"] == "wss"
