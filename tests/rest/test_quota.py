"""What a person may write and open in a time, and that the login pages of the host count as the API does."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from chat.actions.rooms import create_group
from chat.admin.login import count_wrong_passwords
from chat.commands import COMMANDS, run
from chat.errors import RateLimited
from chat.limits import store
from chat.limits.logins import limited_login
from chat.limits.rooms import count_change
from chat.limits.writes import count_write
from chat.models import Event, Profile, Room
from tests.access_scene import Scene
from tests.access_table import REST, Row
from tests.rest.conftest import PASSWORD, Api, refused
from tests.scene import say, undone
from tests.test_access_matrix import ask

pytestmark = pytest.mark.django_db

# A port that is nobody's.
NOWHERE = "redis://127.0.0.1:1"


def passed(person: UUID, times: int) -> int:
    """How many of so many writes are let through."""

    def attempt(_: int) -> bool:
        try:
            count_write(person)
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        return sum(threads.map(attempt, range(times)))


def test_one_write_too_many_is_refused_and_says_until_when(
    ann: Profile, bob: Profile, group: Room, api: Api, configured: Any
) -> None:
    configured(LIMIT_WRITES="3/minute")
    path = f"/api/rooms/{group.pk}/messages/"
    said = [api(ann).post(path, {"text": "hello"}).status_code for _ in range(3)]
    assert said == [201] * 3
    answer = api(ann).post(path, {"text": "hello"})
    body = refused(answer, 429, "rate_limited")
    assert 0 < body["retry_after"] <= 60
    assert answer["Retry-After"] == str(body["retry_after"])
    refused(api(ann).patch("/api/users/me/", {"display_name": "Ann"}), 429, "rate_limited")
    # Others write, and who wrote too much still reads and signs out.
    assert api(bob).post(path, {"text": "hello"}).status_code == 201
    assert api(ann).get(path).status_code == 200
    assert api(ann).post("/api/sync/", {"cursors": {}}, format="json").status_code == 200
    assert api(ann).delete("/api/auth/devices/").status_code == 204


@pytest.mark.parametrize("rate", ["7/minute", "100/minute", "250/2 hours"])
def test_one_process_holds_the_quota_exactly(configured: Any, rate: str) -> None:
    configured(LIMIT_WRITES=rate)
    limit = int(rate.partition("/")[0])
    assert passed(uuid4(), limit * 2) == limit


@pytest.mark.parametrize("rate", ["", None])
def test_no_quota_is_one_too(configured: Any, rate: str | None) -> None:
    configured(LIMIT_WRITES=rate)
    assert passed(uuid4(), 900) == 900


def test_the_quota_is_there_again_later(configured: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(LIMIT_WRITES="100/minute")
    person = uuid4()
    assert passed(person, 110) == 100
    clocks = {"time.time": time.time, "time.monotonic": time.monotonic}
    for name, clock in clocks.items():
        monkeypatch.setattr(name, lambda clock=clock: clock() + 61)
    assert passed(person, 110) == 100


def test_who_writes_little_is_let_through_without_asking_the_store(configured: Any) -> None:
    # Asked, it would be left alone from then on.
    uri = f"{NOWHERE}/{uuid4().int % 1000}"
    configured(LIMIT_WRITES="100/minute", LIMITS_STORAGE=uri)
    person = uuid4()
    assert passed(person, 3) == 3
    with store.asking():
        pass
    assert passed(person, 1) == 1
    with pytest.raises(store.Away), store.asking():
        pass


def test_without_the_store_a_process_holds_the_quota_by_itself(configured: Any) -> None:
    configured(LIMIT_WRITES="100/minute", LIMITS_STORAGE=NOWHERE)
    assert passed(uuid4(), 150) == 100


def test_groups_are_counted_and_repeats_are_not(ann: Profile, api: Api, configured: Any) -> None:
    configured(LIMIT_GROUPS="2/hour")
    body = {"id": str(uuid4()), "title": "Tea"}
    said = [api(ann).post("/api/groups/", body).status_code for _ in range(2)]
    assert said == [201, 200]
    assert api(ann).post("/api/groups/", {"title": "Tea"}).status_code == 201
    refused(api(ann).post("/api/groups/", {"title": "Tea"}), 429, "rate_limited")


def test_new_direct_rooms_are_counted_and_old_ones_open(
    ann: Profile, bob: Profile, cat: Profile, api: Api, configured: Any
) -> None:
    configured(LIMIT_DIRECT="1/hour")

    def direct(other: Profile) -> Any:
        return api(ann).post("/api/direct/", {"user": str(other.pk)})

    assert [direct(one).status_code for one in (bob, bob, ann)] == [201, 200, 200]
    refused(direct(cat), 429, "rate_limited")
    assert direct(bob).status_code == 200


def test_one_person_joins_one_group_so_often_and_no_more(
    ann: Profile, cat: Profile, group: Room, api: Api, configured: Any
) -> None:
    """Else one person who comes and goes fills a room's log until all who are away begin afresh."""
    configured(LIMIT_JOINS="2/hour")
    other = create_group(ann, title="Other", visibility="public")[0]

    def come(room: Room) -> Any:
        return api(cat).post(f"/api/groups/{room.pk}/join/")

    def go(room: Room) -> Any:
        return api(cat).post(f"/api/groups/{room.pk}/leave/")

    for _ in range(2):
        # A repeat of one who is in is not counted.
        assert [come(group).status_code for _ in range(3)] == [200] * 3
        assert go(group).status_code == 204
    head = Room.objects.get(pk=group.pk).head
    answer = come(group)
    body = refused(answer, 429, "rate_limited")
    assert answer["Retry-After"] == str(body["retry_after"])
    assert Room.objects.get(pk=group.pk).head == head
    assert come(other).status_code == 200


# Events of a room's log that LIMIT_CHANGES does not hold, and why one person cannot make many of them.
UNCOUNTED = {
    "message.sent": "messages are held by LIMIT_WRITES and slow mode",
    "message.deleted": "each takes a message with it",
    "member.left": "each takes a membership with it, and joining is held by LIMIT_JOINS",
    "member.removed": "each takes a membership with it, and adding is held",
    "member.joined": "joining is held by LIMIT_JOINS",
    "room.created": "opening rooms is held by LIMIT_GROUPS and LIMIT_DIRECT",
    "room.deleted": "the last event of its log",
}


@pytest.mark.parametrize(
    ("row", "place"),
    [(row, place) for row in REST for place in ("public", "direct") if getattr(row, place)],
    ids=lambda one: getattr(one, "operation", one),
)
def test_whatever_else_goes_into_a_rooms_log_is_counted(
    house: tuple[Scene, Any], row: Row, place: str, configured: Any
) -> None:
    """Over REST: the operation appends, so with no change left it is refused."""
    scene, _ = house
    role = "member" if place == "direct" else "owner"
    last = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
    with undone():
        done = ask(scene, row, role, place)
        new = Event.objects.filter(pk__gt=last, room=scene.rooms[place])
        counted = set(new.values_list("type", flat=True)) - set(UNCOUNTED)
    if done.status_code < 400 and counted:
        configured(LIMIT_CHANGES="1/hour")
        count_change(scene.people[role])
        with undone():
            assert ask(scene, row, role, place).status_code == 429


def test_commands_are_counted_with_the_paths(group: Room, ann: Profile, configured: Any) -> None:
    message = say(ann, group)
    configured(LIMIT_CHANGES="1/hour")
    said = {"message": str(message.pk)}
    edited = {**said, "text": "Otherwise."}
    run(COMMANDS["message.edit"], ann, edited)
    for name, frame in (("message.edit", edited), ("message.pin", said), ("message.unpin", said)):
        with pytest.raises(RateLimited):
            run(COMMANDS[name], ann, frame)
    assert run(COMMANDS["message.delete"], ann, said)


@pytest.fixture(params=["/admin/login/", "/api-auth/login/"])
def login(request: Any, dora: Profile) -> Callable[..., Any]:
    """Post to a login page: ``login(password)``."""
    account = dora.user
    account.is_staff = account.is_superuser = True
    account.save()

    def post(password: str, client: Client | None = None) -> Any:
        body = {"username": "dora", "password": password, "next": "/"}
        return (client or Client()).post(request.param, body)

    return post


def test_login_pages_count_wrong_passwords_as_the_api_does(login: Callable[..., Any]) -> None:
    assert [login(PASSWORD).status_code for _ in range(12)] == [302] * 12
    assert [login("wrong").status_code for _ in range(10)] == [200] * 10
    answer = login(PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300
    body = {"username": "dora", "password": PASSWORD}
    assert Client().post("/api/auth/token/", body).status_code == 429


def test_who_is_signed_in_guesses_no_more_than_others(login: Callable[..., Any]) -> None:
    client = Client()
    assert login(PASSWORD, client).status_code == 302
    assert [login("wrong", client).status_code for _ in range(11)] == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("reads", "named"), [("username", None), ("email", None), ("member", "member")]
)
def test_a_field_that_the_page_does_not_read_hides_no_name(
    rf: RequestFactory, reads: str, named: str | None
) -> None:
    def page(request: HttpRequest) -> HttpResponse:
        right = request.POST[reads] == "else"
        return HttpResponse(status=302 if right else 200)

    view = limited_login(view=page, field=named)

    def answers(name: str, decoy: int) -> int:
        decoys = dict.fromkeys(("username", "email", "login"), f"nobody-{decoy}")
        return view(rf.post("/login/", {**decoys, reads: name})).status_code

    assert [answers("dora", n) for n in range(11)] == [200] * 10 + [429]
    # Another name is let in, and hers is not taken for known here because it came along.
    assert view(rf.post("/login/", {reads: "else", "email": "dora"})).status_code in (302, 429)
    assert answers("dora", 99) == 429


def test_a_page_that_is_wrapped_twice_counts_once(rf: RequestFactory) -> None:
    view = limited_login(limited_login(lambda request: HttpResponse()))
    body = {"username": "dora"}
    said = [view(rf.post("/login/", body)).status_code for _ in range(11)]
    assert said == [200] * 10 + [429]


def test_a_host_may_keep_its_admins_login_as_it_was(configured: Any) -> None:
    configured(ADMIN_LOGIN=False)
    site = AdminSite()
    count_wrong_passwords(site)
    assert "login" not in vars(site)
    configured(ADMIN_LOGIN=True)
    count_wrong_passwords(site)
    assert "login" in vars(site)


def test_without_the_store_a_login_page_lets_nobody_in(
    login: Callable[..., Any], configured: Any
) -> None:
    configured(LIMITS_STORAGE=NOWHERE)
    assert login(PASSWORD).status_code == 503


def test_a_store_that_failed_is_left_alone_and_then_asked_by_one(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(LIMITS_STORAGE=f"{NOWHERE}/{uuid4().int % 1000}")
    with pytest.raises(store.Away), store.asking():
        store.limiter().hit(store.parsed("1/day"), "any")
    with pytest.raises(store.Away), store.asking():
        pass
    clock = time.monotonic
    monkeypatch.setattr("time.monotonic", lambda: clock() + store.PAUSE + 1)
    # While one asks, nobody else does.
    with store.asking(), pytest.raises(store.Away), store.asking():
        pass
    with store.asking():
        pass
