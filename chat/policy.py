"""Who may do what: one predicate per verb, on loaded objects, without a query.

Subclass :class:`Policy`, override a predicate, and name the class in ``CHAT["POLICY"]``.
That a person is a member at all was settled before a predicate is asked.
"""

from __future__ import annotations

from django.utils import timezone

from chat.conf import chat_settings
from chat.models import Membership, Message, Profile, Room

Role = Membership.Role
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


def get_policy() -> Policy:
    """Return the policy that ``CHAT["POLICY"]`` names."""
    policy: Policy = chat_settings.POLICY()
    return policy
