"""Members: who comes, who goes, who may what to whom; and there is always an owner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from uuid import uuid4

import pytest

from chat.actions.members import (
    add_member,
    change_role,
    join_room,
    leave_room,
    mute_member,
    remove_member,
)
from chat.actions.messages import delete_message, edit_message
from chat.errors import Conflict, Forbidden, NotFound
from chat.models import Membership, Profile, Room
from chat.policy import RANK
from tests.conftest import Heard
from tests.scene import logged, own_log, say, seat

pytestmark = pytest.mark.django_db

FAR = datetime(2999, 1, 1, tzinfo=UTC)
PAST = datetime(1999, 1, 1, tzinfo=UTC)
ROLES = list(RANK)


@pytest.fixture
def cast(group: Room, person: Callable[..., Profile]) -> Callable[[str, str], Profile]:
    """Bring a person in as what the test needs."""

    def bring(name: str, role: str) -> Profile:
        one = person(name)
        Membership.objects.create(room=group, user=one, role=role)
        Room.objects.filter(pk=group.pk).update(members_count=group.members_count + 1)
        return one

    return bring


def test_anyone_comes_into_a_public_group(group: Room, cat: Profile, heard: Heard) -> None:
    told = [(item.type, item.room) for item in heard.of(join_room, cat, group.pk)]
    assert told == [("member.joined", str(group.pk)), ("room.joined", str(own_log(cat).pk))]
    assert seat(cat, group).role == "member"
    assert Room.objects.get(pk=group.pk).members_count == 3


def test_nobody_comes_into_a_private_group_by_themselves(den: Room, cat: Profile) -> None:
    with pytest.raises(NotFound):
        join_room(cat, den.pk)


def test_a_room_that_is_not_there_cannot_be_joined(cat: Profile) -> None:
    with pytest.raises(NotFound):
        join_room(cat, uuid4())


def test_who_is_in_already_stays_as_they_are(group: Room, ann: Profile, heard: Heard) -> None:
    assert heard.of(join_room, ann, group.pk) == []
    assert heard.of(add_member, ann, group.pk, ann.pk, "member") == []
    assert seat(ann, group).role == "owner"


def test_coming_in_leaves_nothing_unread(group: Room, ann: Profile, cat: Profile) -> None:
    say(ann, group)
    member = join_room(cat, group.pk)
    assert member.read_seq == Room.objects.get(pk=group.pk).head
    assert member.history_from == 0


def test_where_the_past_is_hidden_it_is_hidden_anew_each_time(
    pier: Room, ann: Profile, cat: Profile
) -> None:
    say(ann, pier)
    first = join_room(cat, pier.pk).history_from
    leave_room(cat, pier.pk)
    missed = say(ann, pier)
    again = join_room(cat, pier.pk).history_from
    assert first < missed.seq < again == Room.objects.get(pk=pier.pk).head


def test_a_way_back_begins_as_a_plain_member(group: Room, ann: Profile, bob: Profile) -> None:
    change_role(ann, group.pk, bob.pk, "admin")
    mute_member(ann, group.pk, bob.pk, FAR)
    leave_room(bob, group.pk)
    assert join_room(bob, group.pk).role == "member"


def test_who_left_is_told_and_out(group: Room, bob: Profile, heard: Heard) -> None:
    told = [(item.type, item.room) for item in heard.of(leave_room, bob, group.pk)]
    assert told == [("member.left", str(group.pk)), ("room.left", str(own_log(bob).pk))]
    assert Room.objects.get(pk=group.pk).members_count == 1
    with pytest.raises(Forbidden):
        say(bob, group)
    with pytest.raises(Forbidden):
        leave_room(bob, group.pk)


def test_who_was_removed_can_neither_write_nor_change_what_they_wrote(
    den: Room, ann: Profile, bob: Profile
) -> None:
    message = say(bob, den)
    remove_member(ann, den.pk, bob.pk)
    for verb in (
        lambda: say(bob, den),
        lambda: edit_message(bob, message.pk, "x"),
        lambda: delete_message(bob, message.pk),
    ):
        with pytest.raises(NotFound):
            verb()
    assert logged(own_log(bob))[-1] == "room.left"


def test_the_last_owner_neither_leaves_nor_steps_down(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    change_role(ann, group.pk, bob.pk, "admin")
    with pytest.raises(Conflict):
        leave_room(ann, group.pk)
    with pytest.raises(Conflict):
        change_role(ann, group.pk, ann.pk, "admin")
    assert seat(ann, group).role == "owner"
    change_role(ann, group.pk, bob.pk, "owner")
    assert heard.types_of(leave_room, ann, group.pk) == ["member.left", "room.left"]
    with pytest.raises(Conflict):
        leave_room(bob, group.pk)


def test_nobody_removes_themselves(group: Room, ann: Profile, bob: Profile) -> None:
    change_role(ann, group.pk, bob.pk, "owner")
    with pytest.raises(Forbidden):
        remove_member(ann, group.pk, ann.pk)


def test_someone_who_is_not_in_cannot_be_removed_promoted_or_silenced(
    group: Room, ann: Profile, cat: Profile
) -> None:
    for verb in (
        lambda: remove_member(ann, group.pk, cat.pk),
        lambda: change_role(ann, group.pk, cat.pk, "admin"),
        lambda: mute_member(ann, group.pk, cat.pk, FAR),
    ):
        with pytest.raises(NotFound):
            verb()


def test_someone_who_is_nobody_cannot_be_added(group: Room, ann: Profile) -> None:
    with pytest.raises(NotFound):
        add_member(ann, group.pk, uuid4())


@pytest.mark.parametrize(("mine", "given"), list(product(ROLES, ROLES)))
def test_a_role_is_given_only_from_above(
    group: Room, cat: Profile, cast: Callable[..., Profile], mine: str, given: str
) -> None:
    me = cast("me", mine)
    allowed = mine == "owner" or RANK["moderator"] <= RANK[mine] > RANK[given]
    if allowed:
        assert add_member(me, group.pk, cat.pk, given)[0].role == given
    else:
        with pytest.raises(Forbidden):
            add_member(me, group.pk, cat.pk, given)
        assert not Membership.objects.filter(room=group, user=cat).exists()


@pytest.mark.parametrize(("mine", "theirs", "given"), list(product(ROLES, ROLES, ROLES)))
def test_a_role_is_changed_only_from_above(
    group: Room, cast: Callable[..., Profile], mine: str, theirs: str, given: str
) -> None:
    me, them = cast("me", mine), cast("them", theirs)
    above = RANK[mine] > max(RANK[theirs], RANK[given]) and RANK[mine] >= RANK["admin"]
    if mine == "owner" or above:
        assert change_role(me, group.pk, them.pk, given).role == given
        assert seat(them, group).role == given
    else:
        with pytest.raises(Forbidden):
            change_role(me, group.pk, them.pk, given)
        assert seat(them, group).role == theirs


@pytest.mark.parametrize("mine", [role for role in ROLES if role != "owner"])
def test_nobody_raises_themselves(group: Room, cast: Callable[..., Profile], mine: str) -> None:
    me = cast("me", mine)
    for role in ROLES:
        with pytest.raises(Forbidden):
            change_role(me, group.pk, me.pk, role)


@pytest.mark.parametrize(("mine", "theirs"), list(product(ROLES, ROLES)))
def test_people_are_removed_and_silenced_only_from_above(
    group: Room, cast: Callable[..., Profile], mine: str, theirs: str
) -> None:
    me, them = cast("me", mine), cast("them", theirs)
    if mine == "owner" or RANK["moderator"] <= RANK[mine] > RANK[theirs]:
        assert mute_member(me, group.pk, them.pk, FAR).muted_until == FAR
        remove_member(me, group.pk, them.pk)
        assert not Membership.objects.filter(room=group, user=them).exists()
    else:
        with pytest.raises(Forbidden):
            mute_member(me, group.pk, them.pk, FAR)
        with pytest.raises(Forbidden):
            remove_member(me, group.pk, them.pk)


def test_the_silenced_write_and_change_nothing_until_it_ends(
    group: Room, ann: Profile, bob: Profile
) -> None:
    message = say(bob, group)
    mute_member(ann, group.pk, bob.pk, FAR)
    with pytest.raises(Forbidden):
        say(bob, group)
    with pytest.raises(Forbidden):
        edit_message(bob, message.pk, "Still here.")
    assert delete_message(bob, message.pk)[0].deleted_at
    Membership.objects.filter(room=group, user=bob).update(muted_until=PAST)
    assert say(bob, group)
    mute_member(ann, group.pk, bob.pk, None)
    assert say(bob, group)


def test_a_change_that_changes_nothing_is_not_told(
    group: Room, ann: Profile, bob: Profile, heard: Heard
) -> None:
    assert heard.of(change_role, ann, group.pk, bob.pk, "member") == []
    assert heard.types_of(mute_member, ann, group.pk, bob.pk, FAR) == ["member.muted"]
    assert heard.of(mute_member, ann, group.pk, bob.pk, FAR) == []
    assert logged(group)[-1] == "member.muted"
