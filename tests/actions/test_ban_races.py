"""What holds of bans when many act at once: threads, each with a connection of its own, on a real database."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from chat.actions.bans import ban_member, unban_member
from chat.actions.members import add_member, change_role, join_room
from chat.actions.rooms import create_group
from chat.errors import Conflict, Forbidden, NotFound
from chat.models import Ban, Membership, Message, Profile, Room
from tests.actions.test_races import ROUNDS, hosted, whole
from tests.scene import logged, own_log, say, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("heard")]


def test_after_a_ban_not_a_word_is_stored(group: Room, ann: Profile, bob: Profile) -> None:
    calls = [partial(say, bob, group, str(number)) for number in range(9)]
    answers = together([*calls, partial(ban_member, ann, group.pk, bob.pk)])
    assert all(isinstance(one, (Message, Forbidden, tuple)) for one in answers), answers
    types = logged(group)
    assert "message.sent" not in types[types.index("member.banned") :]
    whole(group)


def test_who_is_banned_while_coming_in_is_out(ann: Profile, bob: Profile, cat: Profile) -> None:
    """Whichever is first: nobody is at once banned and in, and one ban is told once."""
    for _ in range(ROUNDS):
        room, _ = create_group(ann, title="Busy", visibility="public", members=[bob.pk])
        change_role(ann, room.pk, bob.pk, "moderator")
        answers = together(
            [
                hosted(partial(ban_member, ann, room.pk, cat.pk)),
                hosted(partial(join_room, cat, room.pk)),
                hosted(partial(ban_member, bob, room.pk, cat.pk)),
                hosted(partial(add_member, bob, room.pk, cat.pk)),
            ]
        )
        assert sorted(one[1] for one in (answers[0], answers[2])) == [False, True], answers
        assert isinstance(answers[1], (Membership, Forbidden)), answers
        assert isinstance(answers[3], (tuple, Conflict)), answers
        assert not Membership.objects.filter(room=room, user=cat).exists()
        assert logged(room).count("member.banned") == Ban.objects.filter(room=room).count() == 1
        own = logged(own_log(cat))
        assert own.count("room.joined") == own.count("room.left")
        whole(room, own_log(cat))


def test_a_ban_lifted_twice_at_once_is_lifted_once(group: Room, ann: Profile, cat: Profile) -> None:
    ban_member(ann, group.pk, cat.pk)
    answers = together([partial(unban_member, ann, group.pk, cat.pk)] * 4)
    assert Counter(map(type, answers)) == Counter({NotFound: 3, type(None): 1})
    assert logged(group).count("member.unbanned") == 1
