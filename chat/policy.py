"""Who may do what: one predicate per verb, on loaded objects, without a query.

Subclass :class:`Policy`, override a predicate, and name the class in ``CHAT["POLICY"]``.
A predicate that takes a membership is called for members only. A predicate that keeps a person
from writing may raise ``Forbidden("…")`` instead of returning False, to give a text of its own.
"""

from __future__ import annotations

import datetime
from math import ceil

from django.utils import timezone

from chat.conf import chat_settings
from chat.errors import Forbidden
from chat.models import Membership, Message, Profile, Room

Role = Membership.Role
# One wording for every cause, because the cause is the other person's own affair.
UNREACHABLE = "This person cannot be messaged."
RANK: dict[str, int] = {Role.MEMBER: 0, Role.MODERATOR: 1, Role.ADMIN: 2, Role.OWNER: 3}


def rank(member: Membership) -> int:
    """Return how high the member's role stands, 0 (member) to 3 (owner)."""
    return RANK[member.role]


def _lets(chosen: str, *, share_room: bool) -> bool:
    """Say whether a person's choice lets somebody reach them who shares a room with them, or not."""
    if chosen == Profile.DirectFrom.ROOMS:
        return share_room
    return chosen == Profile.DirectFrom.EVERYONE


class Policy:
    """The rules as they come; every predicate answers for one verb."""

    def may_create_group(self, person: Profile) -> bool:
        """Anyone who can sign in may open a group."""
        return True

    def may_join_room(self, person: Profile, room: Room) -> bool:
        """Public groups are joined; private ones only by being added."""
        return room.visibility == Room.Visibility.PUBLIC

    def may_open_direct(self, person: Profile, other: Profile, *, share_room: bool) -> bool:
        """The other person decides who may start a conversation."""
        return _lets(other.direct_from, share_room=share_room)

    def may_add_person(self, person: Profile, other: Profile, *, share_room: bool) -> bool:
        """The other person decides who may put them into a group; unset, as for conversations."""
        return _lets(other.groups_from or other.direct_from, share_room=share_room)

    def may_send_message(self, member: Membership, room: Room) -> bool:
        """Not while muted, and in a frozen room only those who moderate it."""
        if member.muted_until and member.muted_until > timezone.now():
            return False
        return not room.frozen or rank(member) >= RANK[Role.MODERATOR]

    def may_edit_message(self, member: Membership, message: Message, room: Room) -> bool:
        """One's own words, where one may write."""
        own = message.sender_id == member.user_id and message.kind == Message.Kind.TEXT
        return own and self.may_send_message(member, room)

    def may_delete_message(self, member: Membership, message: Message) -> bool:
        """One's own message anywhere; anyone's where one moderates."""
        return message.sender_id == member.user_id or rank(member) >= RANK[Role.MODERATOR]

    def may_pin_message(self, member: Membership, message: Message, room: Room) -> bool:
        """A group's moderators, elsewhere everyone in the room; taking a pin off asks the same."""
        return room.kind != Room.Kind.GROUP or rank(member) >= RANK[Role.MODERATOR]

    def may_update_room(self, member: Membership, room: Room) -> bool:
        """A group is set up by its admins; other rooms have nothing to set."""
        return room.kind == Room.Kind.GROUP and rank(member) >= RANK[Role.ADMIN]

    def may_delete_room(self, member: Membership, room: Room) -> bool:
        """Only an owner, and only a group."""
        return room.kind == Room.Kind.GROUP and member.role == Role.OWNER

    def may_add_member(self, member: Membership, room: Room, role: str) -> bool:
        """Moderators bring people in, with a role below their own; an owner with any."""
        if room.kind != Room.Kind.GROUP or rank(member) < RANK[Role.MODERATOR]:
            return False
        return member.role == Role.OWNER or RANK[role] < rank(member)

    def may_change_role(self, member: Membership, target: Membership, role: str) -> bool:
        """Admins, and never to or from a role at or above their own; an owner without bounds."""
        if member.role == Role.OWNER:
            return True
        above = rank(target) < rank(member) and RANK[role] < rank(member)
        return above and rank(member) >= RANK[Role.ADMIN]

    def may_remove_member(self, member: Membership, target: Membership) -> bool:
        """Moderators, and only people below them; an owner anyone."""
        if member.role == Role.OWNER:
            return True
        return RANK[Role.MODERATOR] <= rank(member) > rank(target)

    def may_ban_member(self, member: Membership, room: Room, target: Membership | None) -> bool:
        """A group's moderators, and only people below them or not in; so never an owner, nor oneself."""
        if room.kind != Room.Kind.GROUP or rank(member) < RANK[Role.MODERATOR]:
            return False
        return target is None or rank(target) < rank(member)

    def may_unban_member(self, member: Membership, room: Room) -> bool:
        """A group's moderators; whoever may lift a ban may also see who is banned, and why."""
        return room.kind == Room.Kind.GROUP and rank(member) >= RANK[Role.MODERATOR]

    def may_mute_member(self, member: Membership, target: Membership) -> bool:
        """Whoever may remove a person may also silence them for a while."""
        return self.may_remove_member(member, target)

    def may_moderate(self, person: Profile) -> bool:
        """Staff of the house may, in any room, with the permission ``chat.moderate_room``.

        The one predicate that looks at the account, and lets Django look up what that may do.
        """
        account = person.user
        if account is None or not (account.is_active and getattr(account, "is_staff", False)):
            return False
        return bool(account.has_perm("chat.moderate_room"))

    def may_suspend_person(self, staff: Profile, person: Profile) -> bool:
        """Staff who may moderate, and not a person who may moderate: so never themselves."""
        return self.may_moderate(staff) and not self.may_moderate(person)


def get_policy() -> Policy:
    """Return the policy that ``CHAT["POLICY"]`` names."""
    policy: Policy = chat_settings.POLICY()
    return policy


def check_may_send(policy: Policy, member: Membership, room: Room) -> None:
    """Raise Forbidden, with the reason and its end, unless the member may write in the room now."""
    try:
        allowed = policy.may_send_message(member, room)
    except Forbidden as refusal:
        raise _by_policy(refusal) from None
    if not allowed:
        raise why_not_write(member, room)


def check_may_edit(policy: Policy, member: Membership, message: Message, room: Room) -> None:
    """Raise Forbidden unless the member may edit the message; for one's own with the reason and its end."""
    try:
        allowed = policy.may_edit_message(member, message, room)
    except Forbidden as refusal:
        raise _by_policy(refusal) from None
    if not allowed:
        own = message.sender_id == member.user_id and message.kind == Message.Kind.TEXT
        raise why_not_write(member, room) if own else Forbidden()


def why_not_write(member: Membership, room: Room) -> Forbidden:
    """Return the refusal for a member whom the policy does not let write in the room."""
    now = timezone.now()
    if member.muted_until and member.muted_until > now:
        return Forbidden(
            f"You are muted in this room until {moment(member.muted_until, now)}.",
            reason="muted",
            until=member.muted_until,
            retry_after=_seconds(member.muted_until - now),
        )
    if room.frozen and room.kind == Room.Kind.DIRECT:
        # The other person's account was deleted, and a direct room has no moderators.
        return Forbidden(UNREACHABLE, reason="policy")
    if room.frozen and rank(member) < RANK[Role.MODERATOR]:
        return Forbidden("This room is frozen: only its moderators may write.", reason="frozen")
    return Forbidden("The rules of this service do not let you write here.", reason="policy")


def why_suspended(person: Profile) -> Forbidden:
    """Return the refusal for a person who is suspended in the whole service."""
    now, until = timezone.now(), person.suspended_until
    if until is None:
        return Forbidden("Your account is suspended.", reason="suspended")
    return Forbidden(
        f"Your account is suspended until {moment(until, now)}.",
        reason="suspended",
        until=until,
        retry_after=_seconds(until - now),
    )


def moment(at: datetime.datetime, now: datetime.datetime) -> str:
    """Return a moment in UTC for people: the time alone where it is today, else with the date."""
    at, now = at.astimezone(datetime.UTC), now.astimezone(datetime.UTC)
    day = "" if at.date() == now.date() else f"{at:%Y-%m-%d} "
    return f"{day}{at:%H:%M:%S} UTC" if at.second else f"{day}{at:%H:%M} UTC"


def _seconds(left: datetime.timedelta) -> int:
    return max(1, ceil(left.total_seconds()))


def _by_policy(refusal: Forbidden) -> Forbidden:
    """Name the policy as the reason of a refusal that a predicate raised without one."""
    refusal.reason = refusal.reason or "policy"
    return refusal
