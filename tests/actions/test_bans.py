"""Bans: who may put and lift one, what it keeps people from, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from chat.actions.bans import ban_member, unban_member
from chat.actions.imports import Line, Speaker, import_lines, open_import_room
from chat.actions.members import add_member, change_role, join_room, leave_room, mute_member
from chat.actions.people import add_person
from chat.actions.rooms import create_group, delete_room, update_room
from chat.errors import Conflict, Forbidden, NotFound
from chat.models import Ban, Event, Membership, Message, Profile, Room
from chat.policy import RANK, Policy
from chat.queries.rooms import ban as shown_ban
from chat.queries.rooms import bans, directory, room_view
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db

FAR = datetime(2999, 1, 1, tzinfo=UTC)
ROLES = list(RANK)


@pytest.fixture
def cast(group: Room, person: Callable[..., Profile]) -> Callable[[str, str], Profile]:
    """Bring a person in as what the test needs."""

    def bring(name: str, role: str) -> Profile:
        one = person(name)
        Membership.objects.create(room=group, user=one, role=role)
        return one

    return bring


def test_who_is_banned_is_out_and_told_once(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    told = heard.of(ban_member, ann, group.pk, bob.pk, "Spam.")
    assert [(item.type, item.room) for item in told] == [
        ("member.banned", str(group.pk)),
        ("room.left", str(own_log(bob).pk)),
    ]
    event = json.loads(told[0].text)
    assert event["actor"]["id"] == str(ann.pk)
    assert (event["user"]["id"], event["members_count"]) == (str(bob.pk), 1)
    assert event["membership"]["user"] == event["user"]
    assert event["membership"]["role"] == "member"
    # Members do not hear why.
    assert "Spam." not in told[0].text
    assert Room.objects.get(pk=group.pk).members_count == 1
    ban = Ban.objects.get()
    assert (ban.room, ban.user, ban.by, ban.reason) == (group, bob, ann, "Spam.")
    with pytest.raises(Forbidden):
        say(bob, group)


def test_somebody_who_is_not_in_is_banned_too(
    group: Room, ann: Profile, cat: Profile, heard: Heard
) -> None:
    told = heard.of(ban_member, ann, group.pk, cat.pk)
    assert [item.type for item in told] == ["member.banned"]
    event = json.loads(told[0].text)
    assert (event["user"]["id"], event["membership"]) == (str(cat.pk), None)
    assert event["members_count"] == Room.objects.get(pk=group.pk).members_count == 2


def test_a_repeat_changes_nothing(
    group: Room, ann: Profile, bob: Profile, cat: Profile, heard: Heard
) -> None:
    add_member(ann, group.pk, cat.pk, "moderator")
    first, new = ban_member(ann, group.pk, bob.pk, "Spam.")
    assert new
    log, own = logged(group), logged(own_log(bob))
    again, new = ban_member(cat, group.pk, bob.pk, "Noise.")
    assert (again.pk, again.reason, again.by, new) == (first.pk, "Spam.", ann, False)
    unban_member(ann, group.pk, bob.pk)
    with pytest.raises(NotFound):
        unban_member(ann, group.pk, bob.pk)
    assert (logged(group), logged(own_log(bob))) == ([*log, "member.unbanned"], own)


def test_a_ban_keeps_people_from_joining_and_from_being_added(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    for one in (bob, cat):
        for room in (group, den):
            ban_member(ann, room.pk, one.pk)
            with pytest.raises(Conflict, match="banned"):
                add_member(ann, room.pk, one.pk)
        with pytest.raises(Forbidden, match="You are banned from this room"):
            join_room(one, group.pk)
        with pytest.raises(NotFound) as told:
            join_room(one, den.pk)
        assert "ban" not in told.value.detail
    assert set(Membership.objects.values_list("user", flat=True).filter(room__in=[group, den])) == {
        ann.pk
    }


def test_a_ban_beats_a_policy_that_lets_everyone_in(
    den: Room, ann: Profile, bob: Profile, cat: Profile, configured: Callable[..., None]
) -> None:
    class Open(Policy):
        def may_join_room(self, person: Profile, room: Room) -> bool:
            return True

    configured(POLICY=Open)
    ban_member(ann, den.pk, bob.pk)
    with pytest.raises(NotFound):
        join_room(bob, den.pk)
    assert join_room(cat, den.pk)


def test_a_lifted_ban_lets_in_and_puts_nobody_back(
    group: Room, den: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    for room in (group, den):
        ban_member(ann, room.pk, bob.pk)
        told = heard.of(unban_member, ann, room.pk, bob.pk)
        assert [item.type for item in told] == ["member.unbanned"]
        event = json.loads(told[0].text)
        assert event["user"]["id"] == str(bob.pk)
        assert not Membership.objects.filter(room=room, user=bob).exists()
    assert join_room(bob, group.pk).role == "member"
    assert add_member(ann, den.pk, bob.pk)[1]
    assert ban_member(ann, group.pk, bob.pk)[1]


@pytest.mark.parametrize(("mine", "theirs"), list(product(ROLES, [*ROLES, None])))
def test_people_are_banned_only_from_above(
    group: Room,
    cat: Profile,
    cast: Callable[..., Profile],
    heard: Heard,
    mine: str,
    theirs: str | None,
) -> None:
    """And so an owner never, also by another owner."""
    me, them = cast("me", mine), cast("them", theirs) if theirs else cat
    above = theirs is None or RANK[mine] > RANK[theirs]
    if RANK[mine] >= RANK["moderator"] and above:
        assert ban_member(me, group.pk, them.pk)[1]
        assert not Membership.objects.filter(room=group, user=them).exists()
    else:
        with pytest.raises(Forbidden):
            ban_member(me, group.pk, them.pk)
        assert not Ban.objects.exists()
        assert Membership.objects.filter(room=group, user=them).exists() == bool(theirs)


@pytest.mark.parametrize("mine", ROLES)
def test_moderators_lift_bans_and_see_them(
    group: Room, ann: Profile, cat: Profile, cast: Callable[..., Profile], mine: str
) -> None:
    me = cast("me", mine)
    ban, _ = ban_member(ann, group.pk, cat.pk)
    if RANK[mine] >= RANK["moderator"]:
        assert list(bans(me, group.pk)) == [shown_ban(me, group.pk, cat.pk)] == [ban]
        unban_member(me, group.pk, cat.pk)
        with pytest.raises(NotFound):
            shown_ban(me, group.pk, cat.pk)
        return
    for verb in (
        lambda: unban_member(me, group.pk, cat.pk),
        lambda: bans(me, group.pk),
        lambda: shown_ban(me, group.pk, cat.pk),
    ):
        with pytest.raises(Forbidden):
            verb()
    assert Ban.objects.exists()


def test_nobody_bans_themselves_or_nobody(group: Room, ann: Profile) -> None:
    with pytest.raises(Forbidden):
        ban_member(ann, group.pk, ann.pk)
    with pytest.raises(NotFound):
        ban_member(ann, group.pk, uuid4())


def test_only_groups_have_bans(ann: Profile, bob: Profile, cat: Profile, pair: Room) -> None:
    for room in (pair, own_log(ann)):
        for verb in (
            lambda room=room: ban_member(ann, room.pk, bob.pk),
            lambda room=room: ban_member(ann, room.pk, cat.pk),
            lambda room=room: unban_member(ann, room.pk, bob.pk),
            lambda room=room: bans(ann, room.pk),
        ):
            with pytest.raises(Forbidden):
                verb()
    assert not Ban.objects.exists()


def test_who_is_outside_or_banned_has_no_say(
    group: Room, den: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    for room, refusal in ((group, Forbidden), (den, NotFound)):
        ban_member(ann, room.pk, bob.pk)
        for one in (bob, cat):
            for verb in (
                lambda one=one, room=room: ban_member(one, room.pk, ann.pk),
                lambda one=one, room=room: unban_member(one, room.pk, bob.pk),
                lambda one=one, room=room: bans(one, room.pk),
            ):
                with pytest.raises(refusal):
                    verb()
    delete_room(ann, group.pk)
    with pytest.raises(NotFound):
        unban_member(ann, group.pk, bob.pk)


def test_the_banned_see_a_public_room_as_strangers_do(
    group: Room, den: Room, ann: Profile, bob: Profile
) -> None:
    for room in (group, den):
        ban_member(ann, room.pk, bob.pk)
    assert room_view(bob, group.pk).me is None
    assert list(directory("Harbour")) == [group]
    with pytest.raises(NotFound):
        room_view(bob, den.pk)


def test_a_ban_outlasts_the_room_going_private_and_back(
    group: Room, ann: Profile, bob: Profile
) -> None:
    ban_member(ann, group.pk, bob.pk)
    update_room(ann, group.pk, visibility="private")
    with pytest.raises(NotFound):
        join_room(bob, group.pk)
    update_room(ann, group.pk, visibility="public")
    with pytest.raises(Forbidden):
        join_room(bob, group.pk)


def test_a_ban_in_one_room_is_none_in_another(
    group: Room, pier: Room, ann: Profile, bob: Profile, cat: Profile
) -> None:
    ban_member(ann, group.pk, bob.pk)
    ban_member(ann, group.pk, cat.pk)
    assert say(bob, pier)
    assert join_room(cat, pier.pk)
    assert create_group(bob, title="Mine", visibility="public")[1]


def test_a_silence_outlasts_a_ban(group: Room, ann: Profile, bob: Profile) -> None:
    """Also one that is put on after they went, which tells of no membership."""
    mute_member(ann, group.pk, bob.pk, FAR)
    ban_member(ann, group.pk, bob.pk)
    unban_member(ann, group.pk, bob.pk)
    assert join_room(bob, group.pk).muted_until == FAR
    leave_room(bob, group.pk)
    ban_member(ann, group.pk, bob.pk)
    unban_member(ann, group.pk, bob.pk)
    assert join_room(bob, group.pk).muted_until == FAR


def test_a_group_keeps_an_owner_whatever_the_policy(
    group: Room, ann: Profile, bob: Profile, configured: Callable[..., None], heard: Heard
) -> None:
    class Own(Policy):
        def may_ban_member(self, member: Membership, room: Room, target: Membership | None) -> bool:
            return True

    configured(POLICY=Own)
    with pytest.raises(Conflict):
        ban_member(bob, group.pk, ann.pk)
    assert heard == []
    assert not Ban.objects.exists()
    change_role(ann, group.pk, bob.pk, "owner")
    assert ban_member(bob, group.pk, ann.pk)[1]
    assert seat(bob, group).role == "owner"


def test_what_the_banned_said_elsewhere_is_brought_in_without_them(ann: Profile) -> None:
    kim = add_person(username="kim", source_key="irc:kim")
    room, _ = open_import_room("irc", "Old", visibility="public", owner=ann)
    ban_member(ann, room.pk, kim.pk)
    there = datetime(1999, 1, 1, tzinfo=UTC)
    import_lines(room.pk, [Line(uuid4(), there, "Hi.", Speaker("irc:kim", "kim", "Kim"))])
    assert Message.objects.get().sender == kim
    assert not Membership.objects.filter(room=room, user=kim).exists()
    assert logged(room)[-2:] == ["member.banned", "message.sent"]


def test_the_database_knows_one_ban_a_person(group: Room, ann: Profile, bob: Profile) -> None:
    ban_member(ann, group.pk, bob.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ban.objects.create(room=group, user=bob, by=ann)


def test_the_log_keeps_no_reason(group: Room, ann: Profile, bob: Profile) -> None:
    ban_member(ann, group.pk, bob.pk, "Sold umbrellas.")
    assert not any(
        "umbrellas" in str(data) for data in Event.objects.values_list("data", flat=True)
    )
