"""Rooms as a viewer sees them: the inbox, one room, the public directory, the members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import (
    Case,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least

from chat.errors import Forbidden, NotFound
from chat.models import Ban, Membership, Message, Profile, Room
from chat.models.rooms import UNREAD_MAX
from chat.policy import get_policy
from chat.queries.access import membership_of
from chat.queries.people import called
from chat.serializers.rooms import RoomView


class CountOf(Subquery):
    """The number of rows of a subquery, which may be sliced: counting stops at the slice."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def unread() -> Case:
    """Return what counts a membership's unread messages: others', not deleted, past ``unread_past``.

    A room whose head is not past it is not looked into.
    """
    others = (
        Message.objects.filter(room=OuterRef("room"), deleted_at=None)
        .filter(seq__gt=OuterRef("unread_past"), seq__gte=OuterRef("history_from"))
        .exclude(sender=OuterRef("user"))
        .order_by()
        .values("pk")[:UNREAD_MAX]
    )
    behind = When(room__head__gt=F("unread_past"), then=CountOf(others))
    return Case(behind, default=Value(0), output_field=IntegerField())


def last_message() -> Subquery:
    """Return what finds the id of the last message that a membership may see and that has its words."""
    seen = Message.objects.filter(
        room=OuterRef("room"), deleted_at=None, seq__gte=OuterRef("history_from")
    )
    return Subquery(seen.order_by("-seq").values("pk")[:1])


def _memberships(viewer: Profile) -> QuerySet[Membership]:
    return (
        Membership.objects.filter(user=viewer, room__deleted_at=None)
        .select_related("room")
        .alias(unread_past=Least("read_seq", Coalesce(F("unread_from") - 1, "read_seq")))
        .annotate(unread=unread(), last_message_id=last_message())
    )


def inbox(
    viewer: Profile,
    *,
    kind: str | None = None,
    archived: bool | None = None,
    search: str = "",
) -> QuerySet[Membership]:
    """Return the viewer's rooms by last activity, to be shown by :func:`views`."""
    mine = _memberships(viewer).annotate(active_at=F("room__active_at"))
    if kind:
        mine = mine.filter(room__kind=kind)
    if archived is not None:
        mine = mine.filter(archived=archived)
    if search:
        peers = Membership.objects.filter(room=OuterRef("room"), room__kind=Room.Kind.DIRECT)
        named = Q(user__username__icontains=search) | Q(user__display_name__icontains=search)
        living = peers.exclude(user=viewer).filter(user__deleted_at=None)
        people = living.filter(named).values("room")
        mine = mine.filter(Q(room__title__icontains=search) | Q(room__in=Subquery(people)))
    return mine.order_by("-active_at", "-room_id")


def directory(search: str = "") -> QuerySet[Room]:
    """Return the public groups whose title or topic holds the words, by last activity."""
    public = Room.objects.filter(visibility=Room.Visibility.PUBLIC, deleted_at=None)
    if search:
        public = public.filter(Q(title__icontains=search) | Q(topic__icontains=search))
    return public.order_by("-active_at", "-id")


def views(viewer: Profile, memberships: Sequence[Membership]) -> list[RoomView]:
    """Return the rooms of annotated memberships as their person sees them: two more queries, however many."""
    ids = [found for m in memberships if (found := getattr(m, "last_message_id", None))]
    last = Message.objects.select_related("sender", "reply_to__sender").in_bulk(ids)
    peers = _peers(viewer, [m.room_id for m in memberships if m.room.kind == Room.Kind.DIRECT])
    for member in memberships:
        member.user = viewer
    return [
        RoomView(
            member.room,
            last_message=last.get(getattr(member, "last_message_id", None)),
            me=member,
            peer=peers.get(member.room_id),
        )
        for member in memberships
    ]


def directory_views(viewer: Profile, rooms: Sequence[Room]) -> list[RoomView]:
    """Return public rooms with what a passer-by sees, or a member's view where the viewer is in."""
    mine = {
        view.room.pk: view
        for view in views(viewer, list(_memberships(viewer).filter(room__in=rooms)))
    }
    return [mine.get(room.pk, RoomView(room)) for room in rooms]


def _peers(viewer: Profile, rooms: Sequence[UUID]) -> dict[UUID, Profile]:
    if not rooms:
        return {}
    others = Membership.objects.filter(room__in=rooms).exclude(user=viewer)
    return {other.room_id: other.user for other in others.select_related("user")}


def room_views(viewer: Profile, room_ids: Iterable[UUID]) -> dict[UUID, RoomView]:
    """Return those of the rooms that the viewer is in, by id."""
    mine = list(_memberships(viewer).filter(room__in=list(room_ids)))
    return {view.room.pk: view for view in views(viewer, mine)}


def room_view(viewer: Profile, room_id: UUID) -> RoomView:
    """Return one room: a member's view, or of a public room a passer-by's. Raises NotFound."""
    mine = room_views(viewer, [room_id])
    if mine:
        return mine[room_id]
    public = Room.objects.filter(
        pk=room_id, visibility=Room.Visibility.PUBLIC, deleted_at=None
    ).first()
    if public is None:
        raise NotFound()
    return RoomView(public)


def members(
    viewer: Profile, room_id: UUID, *, kind: str = "", search: str = "", role: str = ""
) -> QuerySet[Membership]:
    """Return the members of a room that the viewer is in, the longest first.

    ``kind`` is what sort of room it must be, ``search`` the beginning of a handle or name. Raises NotFound,
    Forbidden.
    """
    me = membership_of(viewer, room_id)
    if kind and me.room.kind != kind:
        raise NotFound()
    found = Membership.objects.filter(room_id=room_id)
    if role:
        found = found.filter(role=role)
    if search:
        found = found.filter(called(search, "user__"), user__deleted_at=None)
    return found.select_related("user").order_by("joined_at", "pk")


def member(viewer: Profile, room_id: UUID, user_id: UUID, *, kind: str = "") -> Membership:
    """Return one person's membership of a room that the viewer is in. Raises NotFound, Forbidden."""
    found = members(viewer, room_id, kind=kind).filter(user_id=user_id).first()
    if found is None:
        raise NotFound("This person is not in the room.")
    return found


def bans(viewer: Profile, room_id: UUID) -> QuerySet[Ban]:
    """Return who is banned from a room, the last first, for those who may lift a ban. Raises NotFound, Forbidden."""
    me = membership_of(viewer, room_id)
    if not get_policy().may_unban_member(me, me.room):
        raise Forbidden()
    banned = Ban.objects.filter(room_id=room_id).select_related("user", "by")
    return banned.order_by("-created_at", "-pk")


def ban(viewer: Profile, room_id: UUID, user_id: UUID) -> Ban:
    """Return one person's ban, for those who may lift it. Raises NotFound, Forbidden."""
    found = bans(viewer, room_id).filter(user_id=user_id).first()
    if found is None:
        raise NotFound("This person is not banned.")
    return found
