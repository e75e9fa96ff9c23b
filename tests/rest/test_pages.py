"""Lists: every row once, no forged cursor, and a page that costs the same however long it is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.members import add_member
from chat.actions.messages import pin_message
from chat.actions.people import add_person
from chat.actions.rooms import create_group, open_direct
from chat.models import Profile, Room
from chat.queries.epoch import current_epoch
from tests.documents import check_answer
from tests.rest.conftest import Api, refused
from tests.scene import own_log, say, undone

pytestmark = pytest.mark.django_db

# Each list, and the most queries it may take; the first of them finds out who asks.
QUERIES = {
    "users/": 2,
    "rooms/": 4,
    "rooms/?search=a": 4,
    "groups/": 3,
    "groups/?search=": 4,
    "groups/{group}/members/": 3,
    "rooms/{group}/members/": 3,
    "rooms/{group}/members/?search=p&role=moderator": 3,
    "groups/{group}/bans/": 3,
    "direct/": 4,
    "rooms/{group}/messages/": 4,
    "rooms/{group}/messages/?before=999": 5,
    "rooms/{group}/messages/?after=1": 5,
    "rooms/{group}/messages/?around=9": 5,
    "rooms/{group}/pins/": 3,
    "rooms/{group}/log/": 5,
    "auth/devices/": 2,
}


class Bay:
    """A person with a group, and as many of everything that is listed as are added."""

    def __init__(self) -> None:
        self.ann = _person("ann")
        self.group = create_group(
            self.ann, title="Harbour", visibility="public", members=[_person("bob").pk]
        )[0]
        self.numbers = count()

    def add(self, times: int) -> None:
        for number in islice(self.numbers, times):
            self._add(number)

    def _add(self, number: int) -> None:
        ann, group, other = self.ann, self.group, _person(f"p{number}")
        own = create_group(ann, title=f"Bay {number}", visibility="public", members=[other.pk])[0]
        add_member(ann, group.pk, other.pk, "moderator")
        quoted = say(other, group)
        for room in (group, own, open_direct(ann, other.pk)[0]):
            say(other, room, reply_to=quoted.pk if room is group else None)
        pin_message(ann, say(other, group, reply_to=quoted.pk).pk)
        ban_member(other if number % 2 else ann, group.pk, _person(f"q{number}").pk)
        open_device(ann, ann.user, name="d", refresh_jti=str(number), sid=own.pk)

    def get(self, path: str, data: Any = None) -> Any:
        answer = self.client().get(f"/api/{path.format(group=self.group.pk)}", data)
        check_answer("GET", answer)
        return answer

    def sync(self) -> Any:
        epoch = self.get("rooms/{group}/log/").json()["epoch"]
        rooms = [one["id"] for one in results(self.get("rooms/?limit=100"))]
        known = {room: 1 for room in rooms if room != str(own_log(self.ann).pk)}
        body = {"epoch": epoch, "cursors": known}
        with CaptureQueriesContext(connection) as queries:
            found = self.client().post("/api/sync/", body, format="json").json()
        assert len(found["rooms"]) == len(known)
        assert len(found["joined"]) == 1
        return len(queries), len(known)

    def client(self) -> APIClient:
        client = APIClient()
        client.force_authenticate(self.ann.user)
        return client


def _person(username: str) -> Profile:
    account = get_user_model().objects.create(username=username)
    return add_person(username=username, user_id=account.pk)


@contextmanager
def filled(size: int) -> Iterator[Bay]:
    """Add so many of everything, and take it back at the end."""
    with undone():
        bay = Bay()
        bay.add(size)
        yield bay


Costs = dict[str, list[tuple[int, int]]]


@pytest.fixture(scope="module")
def costs(django_db_setup: None, django_db_blocker: Any) -> Costs:
    """Return queries and length of each list: with two of everything, and with twelve."""
    found: Costs = {path: [] for path in [*QUERIES, "sync/"]}
    with django_db_blocker.unblock():
        current_epoch()
        for size in (2, 12):
            with filled(size) as built:
                for path in QUERIES:
                    found[path].append(_cost(built, path))
                found["sync/"].append(built.sync())
    return found


def _cost(bay: Bay, path: str) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as queries:
        answer = bay.get(path, {"limit": 100} if "?" not in path else None)
    return len(queries), len(results(answer))


def results(answer: Any) -> list[Any]:
    body: dict[str, list[Any]] = answer.json()
    return body["events"] if "events" in body else body["results"]


@pytest.mark.parametrize(("path", "most"), [*QUERIES.items(), ("sync/", 8)])
def test_a_page_takes_as_many_queries_for_two_as_for_twelve(
    costs: Costs, path: str, most: int
) -> None:
    (few, short), (many, long) = costs[path]
    assert short < long
    assert long >= 12
    assert few == many <= most


PAGED = [
    "users/",
    "rooms/",
    "rooms/{group}/pins/",
    "groups/",
    "groups/?search=",
    "groups/{group}/members/",
    "rooms/{group}/members/",
    "groups/{group}/bans/",
    "direct/",
]


def test_every_row_comes_once_forth_and_back() -> None:
    with filled(7) as bay:
        for path in PAGED:
            _forth_and_back(bay.client(), f"/api/{path.format(group=bay.group.pk)}")


def _forth_and_back(client: APIClient, start: str) -> None:
    sign = "&" if "?" in start else "?"
    whole = results(client.get(f"{start}{sign}limit=100"))
    seen, page = [], client.get(f"{start}{sign}limit=3").json()
    seen += page["results"]
    while page["next"]:
        page = client.get(page["next"]).json()
        assert len(page["results"]) <= 3
        seen += page["results"]
    assert seen == whole, start
    back = list(page["results"])
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back = page["results"] + back
    assert back == whole, start


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5", "9" * 5_000, "%00", "1e3"])
def test_a_limit_that_is_none_is_refused(api: Api, ann: Profile, limit: str) -> None:
    for path in ("users/", "rooms/", "direct/"):
        answer = api(ann).get(f"/api/{path}?limit={limit}")
        assert refused(answer, 400, "invalid")["fields"].keys() == {"limit"}


def test_a_page_is_no_longer_than_the_maximum(
    api: Api, ann: Profile, bob: Profile, cat: Profile, configured: Any
) -> None:
    configured(PAGE_SIZE=1, PAGE_MAX=2, DIRECTORY=True)
    assert len(results(api(ann).get("/api/users/"))) == 1
    assert len(results(api(ann).get("/api/users/?limit="))) == 1
    assert len(results(api(ann).get("/api/users/", {"limit": 10**9}))) == 2


def cursor(text: str) -> str:
    return b64encode(text.encode()).decode()


FORGED = [
    "x",
    "é",
    "%%%",
    "a" * 2_000,
    cursor("o=x"),
    cursor("o=-1"),
    cursor("r=x"),
    cursor("r=" + "9" * 500),
    cursor("p=%00"),
    cursor("p=yesterday"),
    cursor("p=9999-99-99"),
    cursor("p=2020-01-01"),
    cursor("p=2020-01-01T00:00:00"),
    cursor("p=2020-01-01T00:00:00+99:00"),
    cursor("p=0001-01-01T00:00:00+23:59"),
    cursor("p=9999-12-31T23:59:59-23:59"),
    cursor("p=" + "9" * 500),
    cursor("p="),
    cursor("p=1&o=1000000000000"),
    cursor("o=1000000000000"),
    cursor("r=1"),
    cursor("r=1&o=7"),
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: forged[:20])
@pytest.mark.parametrize(
    "path",
    [path for path in PAGED if path != "direct/"],
)
def test_a_forged_cursor_is_refused_or_harmless(
    api: Api, ann: Profile, group: Room, path: str, forged: str
) -> None:
    path = f"/api/{path.format(group=group.pk)}"
    query = {"search": "", "cursor": forged} if "?" in path else {"cursor": forged}
    answer = api(ann).get(path.partition("?")[0], query)
    if answer.status_code != 200:
        assert "cursor" in refused(answer, 400, "invalid")["fields"]


@pytest.mark.parametrize("forged", ["x", "é", cursor("o=x"), cursor("p=yesterday")])
def test_a_cursor_that_was_not_given_out_is_invalid(api: Api, ann: Profile, forged: str) -> None:
    answer = api(ann).get("/api/rooms/", {"cursor": forged})
    assert refused(answer, 400, "invalid")["fields"].keys() == {"cursor"}
