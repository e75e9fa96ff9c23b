"""What verbs do once it is decided: the change and its event, by whatever right the actor acts.

All of it happens in a room that the transaction has locked.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from chat.actions.own_logs import tell_left
from chat.errors import Conflict, NotFound
from chat.events import draft, draft_ban, draft_member, record
from chat.models import Ban, Membership, Message, Profile, Room
from chat.serializers.rooms import RoomView

Role = Membership.Role


def blank_message(message: Message, actor: Profile) -> bool:
    """Take a message's words and its pin away, leave its place. Returns whether it was there."""
    if message.deleted_at:
        return False
    message.text, message.metadata, message.deleted_at = "", {}, timezone.now()
    message.pinned_at = None
    store_message(message, actor, "message.deleted")
    return True


def store_message(message: Message, actor: Profile, event: str) -> None:
    """Write a changed message under its next version."""
    changed = draft(message.room, event, actor=actor, message=message)
    message.version = changed.seq
    changing = ["text", "metadata", "edited_at", "deleted_at", "pinned_at", "version"]
    message.save(update_fields=changing)
    record([changed])


def take_out(member: Membership, event: str, *, actor: Profile) -> None:
    """End a membership and tell the room, then the person. Raises Conflict for the last owner."""
    _unseat(member)
    record([draft_member(event, member, actor)])
    tell_left(member.room, [member.user], actor)


def put_ban(
    room: Room, person: Profile, member: Membership | None, *, actor: Profile, reason: str = ""
) -> tuple[Ban, bool]:
    """Keep a person out of a room, ending their membership if there is one; tell the room, then the person.

    Returns the ban and whether it is new. Raises Conflict for the last owner.
    """
    ban, new = Ban.objects.select_related("user", "by").get_or_create(
        room=room, user=person, defaults={"by": actor, "reason": reason}
    )
    if new:
        if member is not None:
            _unseat(member)
        record([draft_ban(room, person, member, actor)])
        if member is not None:
            tell_left(room, [person], actor)
    return ban, new


def lift_ban(room: Room, user_id: UUID, *, actor: Profile) -> Profile:
    """Let a person come in again, and return them; they are not put back. Raises NotFound."""
    ban = Ban.objects.select_related("user").filter(room=room, user_id=user_id).first()
    if ban is None:
        raise NotFound("This person is not banned.")
    ban.delete()
    record([draft(room, "member.unbanned", actor=actor, subject=ban.user)])
    return ban.user


def _unseat(member: Membership) -> None:
    keep_an_owner(member)
    Membership.objects.filter(pk=member.pk).delete()
    member.room.members_count -= 1


def give_role(member: Membership, role: str, *, actor: Profile | None) -> bool:
    """Give a member another role. Returns whether it was another. Raises Conflict for the last owner.

    Without an actor the service did it by itself.
    """
    if member.role == role:
        return False
    keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    record([draft_member("member.role_changed", member, actor)])
    return True


def keep_an_owner(member: Membership) -> None:
    """Refuse to let go of the last owner. The room is locked, so that two owners cannot both pass."""
    if member.role != Role.OWNER:
        return
    owners = Membership.objects.filter(room=member.room, role=Role.OWNER)
    if not owners.exclude(pk=member.pk).exists():
        raise Conflict("Make someone else an owner first.")


def set_up_room(room: Room, changes: dict[str, Any], *, actor: Profile) -> bool:
    """Change what a room is called or ruled by. Returns whether anything was otherwise."""
    changed = [name for name, value in changes.items() if getattr(room, name) != value]
    if not changed:
        return False
    for name in changed:
        setattr(room, name, changes[name])
    room.save(update_fields=changed)
    record([draft(room, "room.updated", actor=actor)], {0: RoomView(room, personal=False)})
    return True
