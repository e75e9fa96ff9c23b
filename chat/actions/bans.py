"""Bans: who is kept out of a group, and who no longer is."""

from __future__ import annotations

from uuid import UUID

from chat.actions.changes import lift_ban, put_ban
from chat.actions.locks import enter, someone_in
from chat.actions.texts import checked_text
from chat.actions.transactions import action
from chat.errors import Forbidden
from chat.models import Ban, Profile
from chat.models.people import REASON_MAX
from chat.policy import get_policy


@action
def ban_member(person: Profile, room_id: UUID, user_id: UUID, reason: str = "") -> tuple[Ban, bool]:
    """Keep somebody out of a group, whether they are in it now or not; who is in is removed by it.

    Returns the ban and whether it is new; a repeat changes nothing, not even the reason.
    Raises NotFound (also: nobody of that id), Forbidden, Invalid (the reason).
    """
    me = enter(person, room_id)
    other, target = someone_in(me.room, user_id)
    if not get_policy().may_ban_member(me, me.room, target):
        raise Forbidden()
    reason = checked_text("reason", reason, REASON_MAX, blank=True)
    return put_ban(me.room, other, target, actor=person, reason=reason)


@action
def unban_member(person: Profile, room_id: UUID, user_id: UUID) -> None:
    """Let somebody come into a group again; they are not put back. Raises NotFound, Forbidden."""
    me = enter(person, room_id)
    if not get_policy().may_unban_member(me, me.room):
        raise Forbidden()
    lift_ban(me.room, user_id, actor=person)
