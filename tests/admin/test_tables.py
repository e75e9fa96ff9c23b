"""The admin shows the tables, writes nothing, keeps words and secrets out of its lists, and costs what it costs."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat.actions.accounts import end_person
from chat.actions.bans import ban_member
from chat.actions.devices import open_device
from chat.actions.messages import delete_message, edit_message
from chat.actions.moderation import moderate_freeze_room
from chat.actions.people import add_person, profile_for
from chat.actions.rooms import create_group
from chat.admin import paging
from chat.models import Ban, Device, Event, Membership, Message, ModerationEntry, Profile, Room
from tests.admin.conftest import VIEW, SignIn, page, path
from tests.scene import moderator, own_log, say

pytestmark = pytest.mark.django_db

TABLES = [Profile, Device, Room, Membership, Ban, Message, Event, ModerationEntry]
SECRETS = ["secret words", "the-refresh-jti", "digest", "auth_hash", "Auth hash"]
# Beside session and account: the rows, their number, and the names of rooms that have no title. PostgreSQL
# is asked for its estimate as well.
QUERIES = {
    Profile: 2,
    Device: 2,
    Room: 3,
    Membership: 3,
    Ban: 2,
    Message: 3,
    Event: 3,
    ModerationEntry: 3,
}
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg/onload=alert(1)>",
    "{{ 7|add:7 }}{% now 'Y' %}",
    "javascript:alert(1)",
    "&lt;b&gt;<b>",
]


@pytest.fixture
def boss(client: Client, ann: Profile, group: Room, pair: Room, django_user_model: Any) -> Client:
    say(ann, group, "secret words")
    say(ann, pair, "secret words")
    open_device(ann, ann.user, name="phone", refresh_jti="the-refresh-jti", sid=uuid4())
    moderate_freeze_room(moderator(), group.pk, "A brawl.")
    ban_member(ann, group.pk, add_person(username="pest").pk, "Spam.")
    client.force_login(django_user_model.objects.create_superuser("boss"))
    return client


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_listed_searched_and_shown(boss: Client, ann: Profile, table: Any) -> None:
    for query in ("", "?q=ann", "?q=%00", "?q=Harbour", f"?q={ann.pk}", f"?q={uuid4()}", "?o=1"):
        answer = boss.get(path(table) + query)
        assert answer.status_code == 200
        assert not any(secret in answer.content.decode() for secret in SECRETS)
    row = boss.get(page(table.objects.last()))
    assert row.status_code == 200
    shown = row.content.decode()
    assert not any(secret in shown for secret in SECRETS[1:])
    assert "_save" not in shown


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_written(boss: Client, table: Any) -> None:
    row = table.objects.last()
    assert boss.get(path(table, "add/")).status_code == 403
    assert boss.post(page(row), {}).status_code == 403
    assert boss.post(path(table, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
    assert table.objects.filter(pk=row.pk).exists()
    assert "delete_selected" not in boss.get(path(table)).content.decode()


@pytest.mark.parametrize("table", TABLES)
def test_a_list_costs_the_same_however_long(
    boss: Client, ann: Profile, bob: Profile, group: Room, table: Any
) -> None:
    with CaptureQueriesContext(connection) as around:
        boss.get("/admin/password_change/")
    for number in range(3):
        say(bob, own_log(bob))
        ban_member(ann, group.pk, add_person(username=f"p{number}").pk)
        open_device(ann, ann.user, name="d", refresh_jti=str(number), sid=uuid4())
        with CaptureQueriesContext(connection) as queries:
            boss.get(path(table))
        # A part of a table is counted, as far as that goes.
        estimates = connection.vendor == "postgresql" and table is not Membership
        assert len(queries) - len(around) == QUERIES[table] + estimates


def test_every_table_of_people_is_there() -> None:
    assert all(admin.site.is_registered(table) for table in TABLES)


def test_who_may_see_which_table(sign_in: SignIn, message: Message) -> None:
    reader = sign_in("view_message", "view_room")
    for table in TABLES:
        expected = 200 if table in {Message, Room} else 403
        assert reader.get(path(table)).status_code == expected
    assert sign_in(username="none").get(page(message)).status_code == 403


def test_the_ways_from_a_room_and_from_a_person(
    mod: Client,
    bob: Profile,
    cat: Profile,
    group: Room,
    pair: Room,
    message: Message,
    phone: Device,
) -> None:
    other = say(bob, pair, "Elsewhere.")
    room, person = (mod.get(page(one)).content.decode() for one in (group, bob))
    for source, ways in ((room, 5), (person, 6)):
        links = re.findall(r'<li><a href="(/admin/chat/[^"?]+\?[^"]+)"', source)
        assert len(links) == ways
        assert all(mod.get(link).status_code == 200 for link in links)
    narrow = mod.get(path(Message) + f"?room__id__exact={group.pk}").content.decode()
    assert "Messages: Harbour" in narrow
    assert str(message.pk) in narrow
    assert str(other.pk) not in narrow
    log = mod.get(path(Event) + f"?room__id__exact={group.pk}&type=message.sent")
    assert log.context["cl"].result_count == 1
    deleted = path(Message) + f"?sender__id__exact={bob.pk}&deleted="
    assert mod.get(deleted + "no").context["cl"].result_count == 2
    assert mod.get(deleted + "yes").context["cl"].result_count == 0
    assert mod.get(path(Message) + "?room__id__exact=nonsense").status_code == 302


def test_rooms_without_a_title_are_called_by_their_people(
    mod: Client, ann: Profile, pair: Room, message: Message
) -> None:
    say(ann, pair, "Psst.")
    for table in (Room, Membership, Message, Event):
        assert "ann · bob" in mod.get(path(table)).content.decode()
    assert "ann’s own log" in mod.get(page(own_log(ann))).content.decode()


def test_a_look_at_a_message_is_noted_and_a_list_is_not(mod: Client, message: Message) -> None:
    mod.get(path(Message))
    assert not ModerationEntry.objects.exists()
    assert "Something foul." in mod.get(page(message)).content.decode()
    entry = ModerationEntry.objects.get()
    assert (entry.verb, entry.message, entry.reason) == ("read_message", message, "")
    assert entry.actor.user.username == "mod"
    assert "Something foul" not in str(vars(entry))


def test_a_look_that_is_refused_shows_nothing_and_is_not_noted(
    sign_in: SignIn, message: Message
) -> None:
    blind = sign_in(*(one for one in VIEW if one != "view_message"))
    assert b"Something foul" not in blind.get(page(message)).content
    assert not ModerationEntry.objects.exists()


def test_a_long_message_is_cut(mod: Client, bob: Profile, group: Room) -> None:
    long = say(bob, group, "x" * 2_500)
    shown = mod.get(page(long)).content.decode()
    assert "x" * 2_000 in shown
    assert "x" * 2_001 not in shown
    assert "500 more characters" in shown


@pytest.mark.parametrize("nasty", NASTY)
def test_markup_is_shown_and_never_meant(
    mod: Client, person: Any, ann: Profile, nasty: str
) -> None:
    """Names, titles, words, metadata and reasons; in lists, on pages, in titles and in what is said after an act."""
    eve = person("eve", display_name=nasty)
    room = create_group(eve, title=nasty, visibility="public")[0]
    message = say(eve, room, nasty, metadata={nasty: nasty})
    open_device(eve, None, name=nasty, refresh_jti="one", sid=uuid4())
    moderate_freeze_room(moderator_of(mod), room.pk, nasty)
    ban_member(eve, room.pk, ann.pk, nasty)
    act = {"action": "freeze_rooms", "_selected_action": str(room.pk)}
    pages = [mod.get(path(table)) for table in TABLES]
    pages += [mod.get(page(table.objects.last())) for table in TABLES]
    pages += [
        mod.get(page(message)),
        mod.get(path(Message) + f"?room__id__exact={room.pk}"),
        mod.post(path(Room), act),
        mod.post(path(Room), {**act, "reason": nasty}, follow=True),
    ]
    for answer in pages:
        shown = answer.content.decode()
        assert answer.status_code == 200
        if nasty.startswith("javascript:"):
            assert not re.search(r"(href|src|action)=.javascript:", shown)
        elif "{{" in nasty:
            assert "1414" not in shown
        else:
            assert nasty not in shown


def moderator_of(browser: Client) -> Profile:
    """The person that the signed-in account is in the chat."""
    return profile_for(get_user(browser))  # type: ignore[arg-type]


def test_a_list_is_counted_up_to_a_bound_and_leafed_through_up_to_there(
    mod: Client, bob: Profile, group: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "REACH", 100)
    monkeypatch.setattr(paging, "_estimate", lambda rows: 0)
    for _ in range(120):
        say(bob, group)
    with CaptureQueriesContext(connection) as queries:
        shown = mod.get(path(Message)).context["cl"]
    counts = [one["sql"] for one in queries if "COUNT(" in one["sql"]]
    assert (shown.result_count, shown.paginator.num_pages) == (101, 2)
    assert counts
    assert all("LIMIT 101" in sql for sql in counts)
    assert mod.get(path(Message) + "?p=3").status_code == 302


@pytest.mark.postgres
def test_a_large_table_is_estimated_and_never_counted(
    mod: Client, bob: Profile, group: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "REACH", 100)
    for _ in range(120):
        say(bob, group)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chat_message")
    with CaptureQueriesContext(connection) as queries:
        shown = mod.get(path(Message)).context["cl"]
    assert (shown.result_count, shown.paginator.num_pages) == (120, 2)
    assert not any("COUNT(" in one["sql"] for one in queries)
    with CaptureQueriesContext(connection) as queries:
        shown = mod.get(path(Message) + f"?room__id__exact={group.pk}").context["cl"]
    assert shown.result_count == 101
    assert any("LIMIT 101" in one["sql"] for one in queries if "COUNT(" in one["sql"])


def test_own_logs_are_left_out_of_the_memberships_until_they_are_asked_for(
    mod: Client, ann: Profile, bob: Profile, group: Room, pair: Room
) -> None:
    listed = mod.get(path(Membership)).context["cl"].result_list
    assert {row.room.kind for row in listed} == {"group", "direct"}
    mine = Membership.objects.get(user=ann, room=own_log(ann))
    for asked in (f"user__id__exact={ann.pk}", f"room__id__exact={mine.room_id}", "q=ann"):
        assert mine in mod.get(path(Membership) + f"?{asked}").context["cl"].result_list
    assert mod.get(page(mine)).status_code == 200


def test_the_list_of_messages_is_narrow_and_says_what_became_of_each(
    mod: Client, ann: Profile, bob: Profile, group: Room
) -> None:
    plain, edited, gone = (say(bob, group, text) for text in ("one", "two", "three"))
    edit_message(bob, edited.pk, "other")
    delete_message(bob, gone.pk)
    shown = mod.get(path(Message) + f"?room__id__exact={group.pk}").content.decode()
    states = re.findall(r'class="field-state">([^<]*)<', shown)
    assert states == ["deleted", "edited", "-"]
    # A number stays on the line of its sign.
    assert f"№\xa0{plain.seq}" in shown


def test_a_deleted_account_is_called_so_and_not_by_its_handle(
    mod: Client, ann: Profile, bob: Profile, pair: Room
) -> None:
    said = say(bob, pair, "Psst.")
    end_person(bob)
    for shown in (path(Profile), path(Room), path(Message), path(Membership), page(said)):
        answer = mod.get(shown).content.decode()
        assert "Deleted account" in answer
        assert ">bob<" not in answer
    assert "ann · Deleted account" in mod.get(path(Room)).content.decode()
