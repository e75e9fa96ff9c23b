"""Consent: nobody is put into a group against their will, by whichever verb, and leaving is respected."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.actions.bans import ban_member, unban_member
from chat.actions.members import add_member, join_room, leave_room, remove_member
from chat.actions.people import update_profile
from chat.actions.rooms import create_group, open_direct
from chat.errors import Forbidden
from chat.models import Event, Membership, Profile, Room
from tests.scene import say

pytestmark = pytest.mark.django_db

Choose = Callable[..., Profile]


def refused(verb: Callable[[], object]) -> dict[str, object]:
    """Return what a refusal says of the people who were to be added; nothing was written."""
    before = Event.objects.count(), Membership.objects.count(), Room.objects.count()
    with pytest.raises(Forbidden) as refusal:
        verb()
    assert (Event.objects.count(), Membership.objects.count(), Room.objects.count()) == before
    fields = refusal.value.fields or {}
    assert set(fields) == {"members"}
    return dict(fields["members"])


@pytest.mark.parametrize(
    "choice",
    [
        {"groups_from": "nobody"},
        {"groups_from": "rooms"},
        {"direct_from": "nobody"},
        {"direct_from": "rooms"},
        {"direct_from": "everyone", "groups_from": "nobody"},
    ],
    ids=str,
)
def test_a_stranger_adds_only_who_lets_them(
    ann: Profile, cat: Profile, group: Room, choice: dict[str, str]
) -> None:
    update_profile(cat, **choice)
    named = [
        refused(lambda: add_member(ann, group.pk, cat.pk)),
        refused(lambda: create_group(ann, title="New", visibility="private", members=[cat.pk])),
    ]
    assert all(set(one) == {str(cat.pk)} for one in named)


def test_groups_and_conversations_are_chosen_apart(ann: Profile, cat: Profile, den: Room) -> None:
    update_profile(cat, direct_from="nobody", groups_from="everyone")
    assert add_member(ann, den.pk, cat.pk)[1]
    with pytest.raises(Forbidden):
        open_direct(ann, cat.pk)
    update_profile(cat, direct_from="everyone", groups_from="nobody")
    assert open_direct(ann, cat.pk)[1]
    refused(lambda: create_group(ann, title="New", visibility="private", members=[cat.pk]))


def test_one_who_refuses_keeps_the_others_out_as_well(
    ann: Profile, bob: Profile, cat: Profile, person: Callable[..., Profile]
) -> None:
    dan = person("dan")
    update_profile(cat, groups_from="nobody")
    update_profile(dan, groups_from="rooms")
    everyone = [bob.pk, cat.pk, dan.pk]
    named = refused(lambda: create_group(ann, title="N", visibility="public", members=everyone))
    assert set(named) == {str(cat.pk), str(dan.pk)}
    assert len({str(said) for said in named.values()}) == 1


def test_the_cause_of_a_refusal_is_not_told(
    ann: Profile, bob: Profile, cat: Profile, group: Room, person: Callable[..., Profile]
) -> None:
    dan = person("dan")
    update_profile(bob, groups_from="nobody")
    remove_member(ann, group.pk, bob.pk)
    update_profile(cat, groups_from="rooms")
    _leave_twice(ann, dan, group)
    said = set()
    for one in (bob, cat, dan):
        with pytest.raises(Forbidden) as refusal:
            add_member(ann, group.pk, one.pk)
        said.add(str(refusal.value.as_dict()).replace(str(one.pk), ""))
    assert len(said) == 1


def test_a_group_that_one_was_put_into_is_no_common_room(
    ann: Profile, bob: Profile, cat: Profile, group: Room
) -> None:
    add_member(ann, group.pk, cat.pk)
    update_profile(cat, direct_from="rooms")
    with pytest.raises(Forbidden):
        open_direct(ann, cat.pk)
    with pytest.raises(Forbidden):
        open_direct(bob, cat.pk)
    refused(lambda: create_group(ann, title="New", visibility="private", members=[cat.pk]))
    leave_room(cat, group.pk)
    join_room(cat, group.pk)
    assert open_direct(ann, cat.pk)[1]
    assert create_group(ann, title="New", visibility="private", members=[cat.pk])[1]


def test_a_group_that_one_opened_is_a_common_room(ann: Profile, bob: Profile, group: Room) -> None:
    update_profile(ann, direct_from="rooms")
    update_profile(bob, direct_from="rooms")
    assert open_direct(bob, ann.pk)[1]
    assert not Membership.objects.get(room=group, user=ann).added
    assert Membership.objects.get(room=group, user=bob).added


def test_adding_a_member_again_asks_no_consent(ann: Profile, bob: Profile, group: Room) -> None:
    update_profile(bob, groups_from="nobody")
    assert not add_member(ann, group.pk, bob.pk)[1]


def _leave_twice(owner: Profile, person: Profile, room: Room) -> None:
    for _ in range(2):
        assert add_member(owner, room.pk, person.pk)[1]
        leave_room(person, room.pk)


def test_a_person_who_left_is_added_once_more_at_most(
    ann: Profile, cat: Profile, group: Room
) -> None:
    _leave_twice(ann, cat, group)
    assert set(refused(lambda: add_member(ann, group.pk, cat.pk))) == {str(cat.pk)}
    assert join_room(cat, group.pk)
    leave_room(cat, group.pk)
    refused(lambda: add_member(ann, group.pk, cat.pk))


def test_to_be_removed_or_banned_is_not_to_leave(ann: Profile, cat: Profile, group: Room) -> None:
    for _ in range(3):
        assert add_member(ann, group.pk, cat.pk)[1]
        remove_member(ann, group.pk, cat.pk)
        assert add_member(ann, group.pk, cat.pk)[1]
        ban_member(ann, group.pk, cat.pk)
        unban_member(ann, group.pk, cat.pk)
    assert add_member(ann, group.pk, cat.pk)[1]


def test_a_person_who_left_is_added_once_also_by_way_of_removals(
    ann: Profile, cat: Profile, group: Room
) -> None:
    join_room(cat, group.pk)
    leave_room(cat, group.pk)
    assert add_member(ann, group.pk, cat.pk)[1]
    remove_member(ann, group.pk, cat.pk)
    refused(lambda: add_member(ann, group.pk, cat.pk))
    join_room(cat, group.pk)
    remove_member(ann, group.pk, cat.pk)
    assert add_member(ann, group.pk, cat.pk)[1]


def test_joining_a_group_that_one_was_put_into_is_choosing_it(
    ann: Profile, cat: Profile, group: Room
) -> None:
    update_profile(cat, direct_from="rooms", groups_from="everyone")
    add_member(ann, group.pk, cat.pk)
    with pytest.raises(Forbidden):
        open_direct(ann, cat.pk)
    join_room(cat, group.pk)
    assert open_direct(ann, cat.pk)[1]


def test_leaving_one_room_says_nothing_of_another(
    ann: Profile, cat: Profile, group: Room, den: Room
) -> None:
    _leave_twice(ann, cat, group)
    assert add_member(ann, den.pk, cat.pk)[1]


def test_a_repeat_is_a_repeat_whatever_its_members_chose_since(ann: Profile, cat: Profile) -> None:
    wanted = {"id": uuid4(), "title": "Once", "visibility": "private", "members": [cat.pk]}
    room, _ = create_group(ann, **wanted)
    update_profile(cat, groups_from="nobody")
    assert create_group(ann, **wanted) == (room, False)


def test_a_conversation_goes_on_whatever_is_chosen_later(
    ann: Profile, bob: Profile, pair: Room
) -> None:
    update_profile(bob, direct_from="nobody", groups_from="nobody")
    assert say(ann, pair)
    assert open_direct(ann, bob.pk) == (pair, False)


def test_a_hosts_own_code_need_not_ask(ann: Profile, cat: Profile, den: Room) -> None:
    update_profile(cat, direct_from="nobody")
    assert open_direct(ann, cat.pk, ask_consent=False)[1]
    assert add_member(ann, den.pk, cat.pk, ask_consent=False)[1]
    wanted = {"title": "Order 7", "visibility": "private", "members": [cat.pk]}
    assert create_group(ann, **wanted, ask_consent=False)[1]
    _leave_twice_by_host(ann, cat, den)


def _leave_twice_by_host(owner: Profile, person: Profile, room: Room) -> None:
    for _ in range(3):
        leave_room(person, room.pk)
        assert add_member(owner, room.pk, person.pk, ask_consent=False)[1]
