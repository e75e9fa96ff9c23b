"""Who may do what, verb by verb and role by role, on loaded objects and without a query."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chat.models import Membership, Message, Profile, Room
from chat.policy import RANK, Policy, get_policy

FAR = datetime(2999, 1, 1, tzinfo=UTC)
PAST = datetime(1999, 1, 1, tzinfo=UTC)
POLICY = Policy()
ME, OTHER = Profile(username="me"), Profile(username="other")
GROUP = Room(kind="group", visibility="public")
PRIVATE = Room(kind="group", visibility="private")
FROZEN = Room(kind="group", visibility="public", frozen=True)
DIRECT = Room(kind="direct", key="direct:x")
OWN_LOG = Room(kind="self", key="self:x")
MINE, THEIRS = Message(sender=ME), Message(sender=OTHER)
NOTICE = Message(sender=ME, kind="system")


def seat(role: str, person: Profile = ME, muted_until: datetime | None = None) -> Membership:
    return Membership(user=person, role=role, muted_until=muted_until)


Ask = Callable[[Membership], bool]
# What one asks, and from which role on the answer is yes; None: never.
FROM: dict[str, tuple[Ask, str | None]] = {
    "send": (lambda me: POLICY.may_send_message(me, GROUP), "member"),
    "send, frozen": (lambda me: POLICY.may_send_message(me, FROZEN), "moderator"),
    "edit one's own": (lambda me: POLICY.may_edit_message(me, MINE, GROUP), "member"),
    "edit one's own, frozen": (lambda me: POLICY.may_edit_message(me, MINE, FROZEN), "moderator"),
    "edit another's": (lambda me: POLICY.may_edit_message(me, THEIRS, GROUP), None),
    "edit the room's notice": (lambda me: POLICY.may_edit_message(me, NOTICE, GROUP), None),
    "delete one's own": (lambda me: POLICY.may_delete_message(me, MINE), "member"),
    "delete another's": (lambda me: POLICY.may_delete_message(me, THEIRS), "moderator"),
    "pin": (lambda me: POLICY.may_pin_message(me, THEIRS, GROUP), "moderator"),
    "pin, direct": (lambda me: POLICY.may_pin_message(me, THEIRS, DIRECT), "member"),
    "pin, in one's own log": (lambda me: POLICY.may_pin_message(me, MINE, OWN_LOG), "member"),
    "set up": (lambda me: POLICY.may_update_room(me, GROUP), "admin"),
    "set up, direct": (lambda me: POLICY.may_update_room(me, DIRECT), None),
    "end": (lambda me: POLICY.may_delete_room(me, GROUP), "owner"),
    "end, direct": (lambda me: POLICY.may_delete_room(me, DIRECT), None),
    "add a member": (lambda me: POLICY.may_add_member(me, GROUP, "member"), "moderator"),
    "add a moderator": (lambda me: POLICY.may_add_member(me, GROUP, "moderator"), "admin"),
    "add an owner": (lambda me: POLICY.may_add_member(me, GROUP, "owner"), "owner"),
    "add, direct": (lambda me: POLICY.may_add_member(me, DIRECT, "member"), None),
    "make a member a moderator": (
        lambda me: POLICY.may_change_role(me, seat("member", OTHER), "moderator"),
        "admin",
    ),
    "make a member an admin": (
        lambda me: POLICY.may_change_role(me, seat("member", OTHER), "admin"),
        "owner",
    ),
    "make an admin a member": (
        lambda me: POLICY.may_change_role(me, seat("admin", OTHER), "member"),
        "owner",
    ),
    "remove a member": (
        lambda me: POLICY.may_remove_member(me, seat("member", OTHER)),
        "moderator",
    ),
    "remove a moderator": (
        lambda me: POLICY.may_remove_member(me, seat("moderator", OTHER)),
        "admin",
    ),
    "remove an owner": (lambda me: POLICY.may_remove_member(me, seat("owner", OTHER)), "owner"),
    "ban a stranger": (lambda me: POLICY.may_ban_member(me, GROUP, None), "moderator"),
    "ban a member": (
        lambda me: POLICY.may_ban_member(me, GROUP, seat("member", OTHER)),
        "moderator",
    ),
    "ban a moderator": (
        lambda me: POLICY.may_ban_member(me, GROUP, seat("moderator", OTHER)),
        "admin",
    ),
    "ban an admin": (
        lambda me: POLICY.may_ban_member(me, GROUP, seat("admin", OTHER)),
        "owner",
    ),
    "ban an owner": (lambda me: POLICY.may_ban_member(me, GROUP, seat("owner", OTHER)), None),
    "ban, direct": (lambda me: POLICY.may_ban_member(me, DIRECT, None), None),
    "unban": (lambda me: POLICY.may_unban_member(me, GROUP), "moderator"),
    "unban, direct": (lambda me: POLICY.may_unban_member(me, DIRECT), None),
    "mute a member": (lambda me: POLICY.may_mute_member(me, seat("member", OTHER)), "moderator"),
    "mute an admin": (lambda me: POLICY.may_mute_member(me, seat("admin", OTHER)), "owner"),
}


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize("verb", FROM)
def test_a_verb_is_allowed_from_a_role_on(verb: str, role: str) -> None:
    ask, least = FROM[verb]
    assert ask(seat(role)) == (least is not None and RANK[role] >= RANK[least])


@pytest.mark.parametrize("role", RANK)
def test_the_silenced_are_silent_until_then(role: str) -> None:
    assert not POLICY.may_send_message(seat(role, muted_until=FAR), GROUP)
    assert not POLICY.may_edit_message(seat(role, muted_until=FAR), MINE, GROUP)
    assert POLICY.may_delete_message(seat(role, muted_until=FAR), MINE)
    assert POLICY.may_send_message(seat(role, muted_until=PAST), GROUP)


def test_only_public_groups_are_joined() -> None:
    assert POLICY.may_join_room(ME, GROUP)
    assert not POLICY.may_join_room(ME, PRIVATE)
    assert not POLICY.may_join_room(ME, DIRECT)


@pytest.mark.parametrize(
    ("direct_from", "strangers", "neighbours"),
    [("everyone", True, True), ("rooms", False, True), ("nobody", False, False)],
)
def test_everyone_decides_who_may_write_to_them(
    direct_from: str, strangers: bool, neighbours: bool
) -> None:
    other = Profile(username="other", direct_from=direct_from)
    assert POLICY.may_open_direct(ME, other, share_room=False) == strangers
    assert POLICY.may_open_direct(ME, other, share_room=True) == neighbours


@pytest.mark.parametrize("direct_from", ["everyone", "rooms", "nobody"])
@pytest.mark.parametrize("groups_from", [None, "everyone", "rooms", "nobody"])
def test_everyone_decides_who_may_add_them(direct_from: str, groups_from: str | None) -> None:
    other = Profile(username="other", direct_from=direct_from, groups_from=groups_from)
    chosen = groups_from or direct_from
    assert POLICY.may_add_person(ME, other, share_room=False) == (chosen == "everyone")
    assert POLICY.may_add_person(ME, other, share_room=True) == (chosen != "nobody")


def test_the_policy_is_the_one_in_the_settings(configured: Callable[..., None]) -> None:
    class Own(Policy):
        """A host's."""

    assert type(get_policy()) is Policy
    configured(POLICY=Own)
    assert isinstance(get_policy(), Own)
