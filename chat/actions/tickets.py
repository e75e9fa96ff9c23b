"""Tickets: what a browser, which can set no header on a socket, shows in its place, once and soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.utils import timezone

from chat.actions.transactions import action, while_suspended
from chat.errors import Unauthenticated
from chat.models import Profile, Ticket
from chat.queries.grounds import Grounds, fallen

# Seconds: a page asks for a ticket when it is about to open the socket.
LIFETIME = 30
# Expired ones that are cleared when a new one is made: more than come in.
CLEARED = 100

Admitted = tuple[Profile, Grounds, float | None]


@action
@while_suspended
def make_ticket(person: Profile, grounds: Grounds, until: float | None) -> str:
    """Return a ticket that lets in once, on these grounds and no longer than ``until`` (unix seconds).

    Only its digest is kept.
    """
    _clear()
    secret = token_urlsafe(32)
    Ticket.objects.create(
        digest=_digest(secret),
        person=person,
        account=grounds.account,
        auth_hash=grounds.auth_hash,
        device_id=grounds.device,
        session=grounds.session,
        until=None if until is None else datetime.fromtimestamp(until, UTC),
        expires_at=timezone.now() + timedelta(seconds=LIFETIME),
    )
    return secret


def use_ticket(secret: str) -> Admitted:
    """Return whom a ticket lets in, on what grounds, and until when (unix seconds, None: no end by itself).

    Raises Unauthenticated when it was used, is too old or never was, or when what it rests on has
    ended since.
    """
    ticket = _taken(_digest(secret))
    if ticket is None:
        raise Unauthenticated("This ticket is not valid.")
    grounds = Grounds(
        ticket.person_id,
        ticket.account,
        ticket.auth_hash,
        str(ticket.device_id) if ticket.device_id else None,
        ticket.session,
    )
    if fallen([grounds]).grounds:
        raise Unauthenticated("This sign-in has ended.")
    return ticket.person, grounds, ticket.until.timestamp() if ticket.until else None


@action
def _taken(digest: str) -> Ticket | None:
    living = Ticket.objects.filter(pk=digest, expires_at__gt=timezone.now())
    ticket = living.select_related("person").first()
    if ticket is None:
        return None
    # Of two uses at once both may read the row, but only one deletes it.
    used, _ = living.delete()
    return ticket if used else None


def _clear() -> None:
    expired = Ticket.objects.filter(expires_at__lte=timezone.now())
    # Rows that another one is clearing are left to it.
    some = expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:CLEARED]
    Ticket.objects.filter(pk__in=list(some)).delete()


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
