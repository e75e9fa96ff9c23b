"""Lists: every row once, no forged cursor, and a page that costs the same however long it is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.members import add_member
from chat.actions.messages import pin_message
from chat.actions.rooms import create_group, open_direct
from chat.models import Profile, Room
from chat.queries.epoch import current_epoch
from tests.rest.conftest import Api, refused
from tests.scene import own_log, say

pytestmark = pytest.mark.django_db

# Each list, and the most queries it may take; the first of them finds out who asks.
QUERIES = {
    "users/": 2,
    "rooms/": 4,
    "rooms/?search=a": 4,
    "groups/": 3,
    "groups/?search=": 4,
    "groups/{group}/members/": 3,
    "groups/{group}/bans/": 3,
    "direct/": 4,
    "rooms/{group}/messages/": 3,
    "rooms/{group}/messages/?before=999": 4,
    "rooms/{group}/messages/?after=1": 4,
    "rooms/{group}/messages/?around=9": 4,
    "rooms/{group}/pins/": 3,
    "rooms/{group}/log/": 6,
    "auth/devices/": 2,
}


@pytest.fixture
def more(ann: Profile, group: Room, person: Callable[..., Profile]) -> Callable[[], None]:
    """Add one of everything that is listed."""
    numbers = iter(range(100))

    def add() -> None:
        number = next(numbers)
        other = person(f"p{number}")
        own = create_group(ann, title=f"Bay {number}", visibility="public", members=[other.pk])[0]
        add_member(ann, group.pk, other.pk, "moderator")
        quoted = say(other, group)
        for room in (group, own, open_direct(ann, other.pk)[0]):
            say(other, room, reply_to=quoted.pk if room is group else None)
        pin_message(ann, say(other, group, reply_to=quoted.pk).pk)
        ban_member(other if number % 2 else ann, group.pk, person(f"q{number}").pk)
        open_device(ann, ann.user, name="d", refresh_jti=str(number), sid=own.pk)

    return add


def results(answer: Any) -> list[Any]:
    body: dict[str, list[Any]] = answer.json()
    return body["events"] if "events" in body else body["results"]


@pytest.mark.parametrize(("path", "most"), QUERIES.items())
def test_a_page_takes_as_many_queries_for_two_as_for_twelve(
    api: Api, ann: Profile, group: Room, more: Callable[[], None], path: str, most: int
) -> None:
    path = f"/api/{path.format(group=group.pk)}"
    counts, lengths = [], []
    current_epoch()
    for add in (2, 10):
        for _ in range(add):
            more()
        with CaptureQueriesContext(connection) as queries:
            answer = api(ann).get(path, {"limit": 100} if "?" not in path else None)
        counts.append(len(queries))
        lengths.append(len(results(answer)))
    assert lengths[0] < lengths[1]
    assert lengths[1] >= 12
    assert counts[0] == counts[1] <= most, [query["sql"] for query in queries]


def test_sync_takes_as_many_queries_for_two_rooms_as_for_twelve(
    api: Api, ann: Profile, group: Room, more: Callable[[], None]
) -> None:
    counts = []
    for add in (2, 10):
        for _ in range(add):
            more()
        rooms = [one["id"] for one in results(api(ann).get("/api/rooms/?limit=100"))]
        epoch = api(ann).get(f"/api/rooms/{group.pk}/log/").json()["epoch"]
        known = {room: 1 for room in rooms if room != str(own_log(ann).pk)}
        with CaptureQueriesContext(connection) as queries:
            body = {"epoch": epoch, "cursors": known}
            found = api(ann).post("/api/sync/", body, format="json").json()
        assert len(found["rooms"]) == len(known)
        assert len(found["joined"]) == 1
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize(
    "path",
    [
        "users/",
        "rooms/",
        "rooms/{group}/pins/",
        "groups/",
        "groups/?search=",
        "groups/{group}/members/",
        "groups/{group}/bans/",
        "direct/",
    ],
)
def test_every_row_comes_once_forth_and_back(
    api: Api, ann: Profile, group: Room, more: Callable[[], None], path: str
) -> None:
    for _ in range(7):
        more()
    start = f"/api/{path.format(group=group.pk)}"
    sign = "&" if "?" in start else "?"
    whole = results(api(ann).get(f"{start}{sign}limit=100"))
    seen, page = [], api(ann).get(f"{start}{sign}limit=3").json()
    seen += page["results"]
    while page["next"]:
        page = api(ann).get(page["next"]).json()
        assert len(page["results"]) <= 3
        seen += page["results"]
    assert seen == whole
    back = list(page["results"])
    while page["previous"]:
        page = api(ann).get(page["previous"]).json()
        back = page["results"] + back
    assert back == whole


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5", "9" * 5_000, "%00", "1e3"])
def test_a_limit_that_is_none_is_refused(api: Api, ann: Profile, limit: str) -> None:
    for path in ("users/", "rooms/", "direct/"):
        answer = api(ann).get(f"/api/{path}?limit={limit}")
        assert refused(answer, 400, "invalid")["fields"].keys() == {"limit"}


def test_a_page_is_no_longer_than_the_maximum(
    api: Api, ann: Profile, bob: Profile, cat: Profile, configured: Any
) -> None:
    configured(PAGE_SIZE=1, PAGE_MAX=2)
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
    [
        "users/",
        "rooms/",
        "rooms/{group}/pins/",
        "groups/",
        "groups/?search=",
        "groups/{group}/members/",
        "groups/{group}/bans/",
    ],
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
