"""Signed-in devices: opened at sign-in, renewed by rotation, ended for good."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from chat.actions.locks import lock_own_logs
from chat.actions.transactions import action, while_suspended
from chat.conf import chat_settings
from chat.errors import NotFound, Unauthenticated
from chat.events import draft, record
from chat.models import Device, Profile
from chat.queries.grounds import Grounds, auth_hash_of, fallen, standing_accounts
from chat.queries.people import living_devices, tokens_expired_before
from chat.security_log import log_security_event

# Expired devices that one sign-in deletes.
EXPIRED_AT_ONCE = 20


@action
@while_suspended
def open_device(person: Profile, user: Any, *, name: str, refresh_jti: str, sid: UUID) -> Device:
    """Remember a sign-in under the id that its tokens carry.

    Beyond ``LIMIT_DEVICES`` the devices of the person that were seen longest ago end.
    """
    _end_surplus(person)
    _delete_expired()
    return Device.objects.create(
        id=sid,
        profile=person,
        name=name[:200],
        auth_hash=auth_hash_of(user),
        refresh_jti=refresh_jti,
    )


def _end_surplus(person: Profile) -> None:
    limit: int | None = chat_settings.LIMIT_DEVICES
    if limit is None:
        return
    recent_first = living_devices(person).order_by("-seen_at", "pk")
    surplus = list(recent_first.values_list("pk", flat=True)[limit - 1 :])
    if surplus:
        # Another process may have ended them since, which is as good.
        with suppress(NotFound):
            end_devices(person, surplus)


def _delete_expired() -> None:
    """Delete some devices that were last seen before any token of theirs could still be valid.

    Each sign-in adds one row and deletes up to ``EXPIRED_AT_ONCE``, so the table holds living devices and
    those of the last weeks, without a periodic task.
    """
    expired = Device.objects.filter(seen_at__lt=tokens_expired_before()).order_by("seen_at")
    # Two sign-ins at the same time must not wait for each other's rows.
    some = expired.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Device.objects.filter(pk__in=list(some[:EXPIRED_AT_ONCE])).delete()


def renew_device(sid: UUID, *, old_jti: str, new_jti: str) -> None:
    """Let a device's refresh token be followed by the next one. Raises Unauthenticated.

    A token that was followed already is in two hands: the device ends, whoever holds it.
    """
    if _rotated(sid, old_jti, new_jti):
        return
    device = Device.objects.select_related("profile").filter(pk=sid, ended_at=None).first()
    if device is not None:
        log_security_event("refresh.reused", person=device.profile_id, device=sid)
        # A parallel renewal may have ended it first.
        with suppress(NotFound):
            end_devices(device.profile, [device.pk])
    raise Unauthenticated("This sign-in has ended.")


@action
def _rotated(sid: UUID, old_jti: str, new_jti: str) -> bool:
    # One conditional update: of two rotations at once exactly one finds the old token still there.
    current = Device.objects.filter(pk=sid, refresh_jti=old_jti, ended_at=None)
    return bool(current.update(refresh_jti=new_jti, seen_at=timezone.now()))


@action
@while_suspended
def end_devices(
    person: Profile, ids: list[UUID] | None = None, *, actor: Profile | None = None
) -> int:
    """End some of a person's devices, or all: their tokens fail at once, their sockets close.

    Returns how many. The person does it themselves where no actor is named.
    Raises NotFound when one device was asked for and it is not a living one of this person.
    """
    log = lock_own_logs([person])[person.pk]
    living = Device.objects.filter(profile=person, ended_at=None)
    ending = list(living if ids is None else living.filter(pk__in=ids))
    if ids and not ending:
        raise NotFound()
    living.filter(pk__in=[device.pk for device in ending]).update(
        ended_at=timezone.now(), refresh_jti=""
    )
    if ending:
        actor = actor or person
        record(
            [draft(log, "device.ended", actor=actor, data={"device": str(d.pk)}) for d in ending]
        )
    return len(ending)


def end_outdated(people: Collection[UUID]) -> None:
    """End the devices of people whose account is gone, not active, or has another password than at sign-in."""
    for person in Profile.objects.filter(pk__in=people).order_by("pk"):
        account = str(person.user_id)
        hash_now = standing_accounts([account]).get(account) if person.user_id else None
        living = Device.objects.filter(profile=person, ended_at=None)
        outdated = living if hash_now is None else living.exclude(auth_hash=hash_now)
        ids = list(outdated.values_list("pk", flat=True))
        if ids:
            # Another process may have ended them since, which is as good.
            with suppress(NotFound):
                end_devices(person, ids)


def end_fallen(asked: Collection[Grounds]) -> frozenset[Grounds]:
    """Return which of these sign-ins no longer stand; the devices of changed accounts are ended for good."""
    found = fallen(asked)
    end_outdated(found.people)
    return found.grounds


# How exactly it is noted when a device was seen: not a write per request.
NOTED = timedelta(minutes=1)
# Devices in one statement: it stays short, however many sockets a process has.
SLICE = 1_000


def touch_device(device: Device) -> None:
    """Note that the device was seen, to the minute."""
    now = timezone.now()
    if now - device.seen_at > NOTED:
        Device.objects.filter(pk=device.pk).update(seen_at=now)


def touch_devices(ids: Collection[str]) -> None:
    """Note the same of devices that have sockets open, of many in one statement."""
    now, listed = timezone.now(), sorted(ids)
    for start in range(0, len(listed), SLICE):
        living = Device.objects.filter(pk__in=listed[start : start + SLICE], ended_at=None)
        living.filter(seen_at__lt=now - NOTED).update(seen_at=now)
