"""Staff act from the admin: with permission, by POST, with a reason; and the room hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from chat.actions.bans import ban_member
from chat.actions.people import profile_for
from chat.admin import acting
from chat.models import Ban, Device, Event, Membership, Message, ModerationEntry, Profile, Room
from tests.admin.conftest import VIEW, SignIn, chosen, page, path
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db

WHY = "Three people asked for it."
# Of each action: what the page asks besides the reason, and the event that tells of it.
ACTIONS: dict[str, tuple[dict[str, str], str]] = {
    "delete_messages": ({}, "message.deleted"),
    "remove_members": ({}, "member.removed"),
    "ban_members": ({}, "member.banned"),
    "lift_bans": ({}, "member.unbanned"),
    "change_role": ({"role": "moderator"}, "member.role_changed"),
    "freeze_rooms": ({}, "room.updated"),
    "unfreeze_rooms": ({}, "room.updated"),
    "end_all_devices": ({}, "device.ended"),
    "suspend_people": ({"note": "The third time."}, "profile.updated"),
    "lift_suspensions": ({}, "profile.updated"),
    "end_devices": ({}, "device.ended"),
}

On = Callable[[str], Model]


@pytest.fixture
def on(
    message: Message, group: Room, ann: Profile, bob: Profile, cat: Profile, phone: Device
) -> On:
    """The row that an action is tried on."""

    def row(action: str) -> Model:
        if action == "unfreeze_rooms":
            Room.objects.filter(pk=group.pk).update(frozen=True)
        if action == "lift_bans":
            return ban_member(ann, group.pk, cat.pk)[0]
        if action == "lift_suspensions":
            Profile.objects.filter(pk=bob.pk).update(
                suspended_at=timezone.now(), suspension_reason=WHY
            )
        return {
            "delete_messages": message,
            "remove_members": seat(bob, group),
            "ban_members": seat(bob, group),
            "change_role": seat(bob, group),
            "end_all_devices": bob,
            "suspend_people": bob,
            "lift_suspensions": bob,
            "end_devices": phone,
        }.get(action, group)

    return row


def state() -> list[Any]:
    """All that an act could change."""
    tables = (Message, Membership, Ban, Room, Device, Event, ModerationEntry)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_act_goes_by_way_of_its_reason(action: str, mod: Client, on: On, heard: Heard) -> None:
    row, (fields, event) = on(action), ACTIONS[action]
    before = state()
    asked = mod.post(path(row), chosen(action, row))
    assert asked.status_code == 200
    assert b'name="reason"' in asked.content
    assert b"errornote" not in asked.content
    assert b"errorlist" not in asked.content
    assert state() == before

    said = chosen(action, row, reason=WHY, **fields)
    told = heard.types_of(lambda: mod.post(path(row), said))
    assert event in told
    entry = ModerationEntry.objects.get()
    assert (entry.actor.user.username, entry.reason) == ("mod", WHY)
    assert Event.objects.filter(type=event, actor=entry.actor).count() == 1


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "x" * 501, "\x00"])
def test_without_a_reason_the_page_asks_again(
    action: str, reason: str, mod: Client, on: On
) -> None:
    row = on(action)
    before = state()
    answer = mod.post(path(row), chosen(action, row, reason=reason, **ACTIONS[action][0]))
    assert answer.status_code == 200
    assert b"errorlist" in answer.content
    assert state() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_look_may_not_act(action: str, sign_in: SignIn, on: On) -> None:
    row, browser = on(action), sign_in(*VIEW, username="reader")
    assert action.encode() not in browser.get(path(row)).content
    assert action.encode() not in browser.get(page(row)).content
    before = state()[:-1]
    browser.post(path(row), chosen(action, row, reason=WHY, **ACTIONS[action][0]))
    assert state()[:-1] == before


@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_act_must_be_let_see(action: str, sign_in: SignIn, on: On) -> None:
    row, browser = on(action), sign_in("moderate_room", username="blind")
    before = state()
    posted = chosen(action, row, reason=WHY, **ACTIONS[action][0])
    assert browser.post(path(row), posted).status_code == 403
    assert state() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_only_a_post_with_its_token_acts(action: str, mod: Client, on: On) -> None:
    row = on(action)
    before = state()
    said = chosen(action, row, reason=WHY, **ACTIONS[action][0])
    mod.get(path(row), said)
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies = mod.cookies
    assert guarded.post(path(row), said).status_code == 403
    assert state() == before


def test_a_superuser_may_all(client: Client, message: Message, django_user_model: Any) -> None:
    boss = django_user_model.objects.create_superuser("boss")
    client.force_login(boss)
    client.post(path(Message), chosen("delete_messages", message, reason=WHY))
    message.refresh_from_db()
    assert message.deleted_at
    assert ModerationEntry.objects.get().actor == profile_for(boss)


def test_a_page_offers_what_can_be_done_to_its_row(
    mod: Client,
    ann: Profile,
    bob: Profile,
    cat: Profile,
    group: Room,
    pair: Room,
    message: Message,
    phone: Device,
) -> None:
    def offered(row: Model) -> set[str]:
        shown = mod.get(page(row)).content.decode()
        return {action for action in ACTIONS if f'value="{action}"' in shown}

    assert offered(message) == {"delete_messages"}
    assert offered(group) == {"freeze_rooms"}
    assert offered(seat(bob, group)) == {"remove_members", "ban_members", "change_role"}
    assert offered(seat(bob, pair)) == offered(pair) == set()
    assert offered(ban_member(ann, group.pk, cat.pk)[0]) == {"lift_bans"}
    assert offered(bob) == {"end_all_devices", "suspend_people"}
    Profile.objects.filter(pk=bob.pk).update(suspended_at=timezone.now(), suspension_reason=WHY)
    assert offered(bob) == {"end_all_devices", "lift_suspensions"}
    assert offered(phone) == {"end_devices"}
    mod.post(path(Message), chosen("delete_messages", message, reason=WHY))
    mod.post(path(Room), chosen("freeze_rooms", group, reason=WHY))
    mod.post(path(Device), chosen("end_devices", phone, reason=WHY))
    assert offered(message) == offered(phone) == set()
    assert offered(group) == {"unfreeze_rooms"}


def test_of_many_rows_each_is_told_of(
    mod: Client, ann: Profile, bob: Profile, group: Room, pair: Room
) -> None:
    """One that is refused stops no other, and what was so already is said."""
    rows = [seat(bob, group), seat(ann, group), seat(bob, pair)]
    said = chosen("remove_members", *rows, reason=WHY)
    told = [str(one) for one in mod.post(path(Membership), said, follow=True).context["messages"]]
    assert told.count("“ann in Harbour”: Make someone else an owner first.") == 1
    assert any(one.startswith("“bob in ann · bob”: Only a group") for one in told)
    assert "Removed: 1." in told
    assert logged(group)[-1] == "member.removed"
    assert ModerationEntry.objects.get().subject == bob
    again = chosen("change_role", seat(ann, group), role="owner", reason=WHY)
    answer = mod.post(path(Membership), again, follow=True)
    assert "it was so already" in str(next(iter(answer.context["messages"])))
    assert ModerationEntry.objects.count() == 1


def test_too_many_at_once_are_none(
    mod: Client, bob: Profile, group: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "MOST", 2)
    rows = [say(bob, group) for _ in range(3)]
    said = chosen("delete_messages", *rows[:1], reason=WHY, select_across="1")
    answer = mod.post(path(Message), said, follow=True)
    assert "At most 2" in str(next(iter(answer.context["messages"])))
    assert not Message.objects.exclude(deleted_at=None).exists()


def test_a_person_is_told_in_their_own_log(mod: Client, bob: Profile, phone: Device) -> None:
    mod.post(path(Profile), chosen("end_all_devices", bob, reason=WHY))
    assert logged(own_log(bob))[-1] == "device.ended"
    phone.refresh_from_db()
    assert phone.ended_at


@pytest.mark.parametrize(
    ("table", "many", "one"),
    [
        ("room", "Freeze rooms…", "Freeze room…"),
        ("message", "Delete messages…", "Delete message…"),
        ("device", "End these devices…", "End this device…"),
    ],
)
def test_a_page_of_one_thing_speaks_of_one(
    table: str, many: str, one: str, mod: Client, group: Room, message: Message, phone: Device
) -> None:
    row = {"room": group, "message": message, "device": phone}[table]
    listed, alone = mod.get(path(row)).content.decode(), mod.get(page(row)).content.decode()
    assert (many in listed, one in alone, many in alone) == (True, True, False)
    names = {"room": "freeze_rooms", "message": "delete_messages", "device": "end_devices"}
    asked = mod.post(path(row), chosen(names[table], row)).content.decode()
    assert f"<h1>{one.rstrip('…')}</h1>" in asked


def test_a_suspension_has_an_end_and_a_note_where_staff_give_them(
    mod: Client, bob: Profile
) -> None:
    said = {"reason": WHY, "until": "2999-01-01T12:30", "note": "The third time."}
    mod.post(path(bob), chosen("suspend_people", bob, **said))
    bob.refresh_from_db()
    assert bob.suspension_reason == WHY
    assert bob.suspended_until is not None
    assert timezone.localtime(bob.suspended_until).isoformat().startswith("2999-01-01T12:30")
    assert ModerationEntry.objects.get().data["note"] == "The third time."
    listed = mod.get(path(bob)).content.decode()
    assert "2999" in listed


def test_a_suspension_does_not_end_before_it_begins(mod: Client, bob: Profile) -> None:
    answer = mod.post(
        path(bob), chosen("suspend_people", bob, reason=WHY, until="1999-01-01T12:30")
    )
    assert b"Give a time in the future" in answer.content
    assert not Profile.objects.get(pk=bob.pk).is_suspended


def test_the_list_of_people_is_filtered_by_suspensions_that_hold(
    mod: Client, ann: Profile, bob: Profile, cat: Profile
) -> None:
    now = timezone.now()
    for one, until in ((ann, None), (bob, now - timedelta(days=1)), (cat, now + timedelta(days=1))):
        Profile.objects.filter(pk=one.pk).update(
            suspended_at=now - timedelta(days=2), suspended_until=until, suspension_reason=WHY
        )

    def found(answer: str) -> set[str]:
        shown = mod.get(path(ann), {"suspended": answer}).context["cl"].result_list
        return {one.username for one in shown}

    assert found("yes") == {"ann", "cat"}
    assert {"bob"} <= found("no") <= {"bob", "mod"}
