"""People, as anyone signed in may find them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from chat.conf import chat_settings, token_settings
from chat.errors import NotFound
from chat.models import Device, Membership, Profile
from chat.models.fetch import Fetch, fetch

# Characters of a search that finds people who share no room with the one who searches.
SEARCH_MIN = 2

# What a door calls the one whom it serves: doors know no tables.
Person = Profile
# People in one query: a statement stays short.
SLICE = 1_000


def find_people(search: str = "") -> QuerySet[Profile]:
    """Return people whose handle or name begins with the words, by handle; no deleted accounts."""
    people = Profile.objects.filter(deleted_at=None).order_by("username", "pk")
    if not search:
        return people
    return people.filter(called(search))


def called(search: str, path: str = "") -> Q:
    """Return the condition that a person's handle or name begins with the words; ``path`` leads to them."""
    handle, name = (f"{path}{field}__istartswith" for field in ("username", "display_name"))
    return Q(**{handle: search}) | Q(**{name: search})


def people_for(viewer: Profile, search: str = "") -> tuple[QuerySet[Profile], bool]:
    """Return the people whom a person may find, by handle, and whether they may page through them all.

    A search that is long enough finds anybody, but only a page of them: whoever knows a name finds its person, and
    nobody reads out the whole service. Anything else finds the people who share a room with the viewer.
    """
    if chat_settings.DIRECTORY:
        return find_people(search), True
    if len(search) >= SEARCH_MIN:
        return find_people(search), False
    mine = Membership.objects.filter(user=viewer, room__deleted_at=None).values("room")
    near = Membership.objects.filter(user=OuterRef("pk"), room__in=mine)
    return find_people(search).filter(Exists(near)), True


def person_of_account(user_pk: Any) -> Profile | None:
    """Return the profile of a host's account, if it was ever seen."""
    return Profile.objects.filter(user_id=user_pk).first()


def by_handle(username: str) -> QuerySet[Profile]:
    """Return the person with a handle, whatever its case; the unique index answers."""
    return Profile.objects.alias(handle=Lower("username")).filter(handle=username.lower())


def person_by_handle(username: str) -> Profile | None:
    """Return the person of a handle, whatever its case, or None."""
    return by_handle(username).filter(deleted_at=None).first()


def without_account() -> Iterator[Profile]:
    """Yield the people whose account is no longer in the table of accounts, in slices."""
    model, after = get_user_model(), None
    # Where accounts are written: a replica that lags lacks the newest ones.
    accounts = model._base_manager.using(router.db_for_write(model))
    while True:
        people = Profile.objects.filter(user__isnull=False).order_by("pk")
        some = list((people.filter(pk__gt=after) if after else people)[:SLICE])
        if not some:
            return
        there = accounts.filter(pk__in=[one.user_id for one in some])
        keys = set(there.values_list("pk", flat=True))
        yield from (one for one in some if one.user_id not in keys)
        after = some[-1].pk


def living_device(sid: UUID) -> Device | None:
    """Return a device that has not ended, with its person, or None: what every request asks first.

    Their account comes with them where it is in one table of the same database; elsewhere it is another query.
    """
    using, account = router.db_for_read(Device), get_user_model()
    beside = router.db_for_read(account) == using and not account._meta.parents
    related = ("profile", "profile__user") if beside else ("profile",)
    living = Fetch(Device, ("id",), [(sid,)], "AND own.ended_at IS NULL", related)
    (found,) = fetch([living], using)
    return found[0] if found else None


def tokens_expired_before() -> datetime:
    """Return the time before which a device must have been seen for all of its tokens to have expired.

    A device is seen when its tokens are made, and again when they are used.
    """
    tokens = token_settings()
    longest: timedelta = max(tokens["ACCESS_TOKEN_LIFETIME"], tokens["REFRESH_TOKEN_LIFETIME"])
    return timezone.now() - longest - timedelta(seconds=tokens["LEEWAY"])


def living_devices(person: Profile) -> QuerySet[Device]:
    """Return the devices of a person that have neither ended nor expired."""
    return Device.objects.filter(
        profile=person, ended_at=None, seen_at__gte=tokens_expired_before()
    )


def devices_of(person: Profile, auth_hash: str | None = None) -> QuerySet[Device]:
    """Return the devices a person is signed in on, the last seen first.

    With a hash, those alone that the account as it is now still lets in.
    """
    living = living_devices(person).order_by("-seen_at", "pk")
    return living if auth_hash is None else living.filter(auth_hash=auth_hash)


def person(person_id: UUID) -> Profile:
    """Return a person. Raises NotFound."""
    found = Profile.objects.filter(pk=person_id).first()
    if found is None:
        raise NotFound()
    return found
