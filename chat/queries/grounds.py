"""What a sign-in rests on, and whether it still stands: asked for many open sockets at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.exceptions import APIException

from chat.errors import TokenExpired
from chat.models import Device, Profile

# Ids in one query: a statement stays short, however many sockets a process has.
SLICE = 1_000


@dataclass(frozen=True, slots=True)
class Grounds:
    """What lets a person in; all that is named must go on standing.

    ``account`` is the key of a row of the host's user model, as text, and ``auth_hash`` what that row
    gave at sign-in; ``device`` and ``session`` are where the sign-in can be ended by itself.
    """

    person: UUID
    account: str | None
    auth_hash: str
    device: str | None = None
    session: str | None = None


def auth_hash_of(user: Any) -> str:
    """Return what changes with the account's password, or nothing where the model has no such thing."""
    session_hash = getattr(user, "get_session_auth_hash", None)
    return session_hash() if session_hash else ""


def grounds_of(person: Profile, user: Any, auth: Any, session: Any) -> Grounds:
    """Return what the answer of an authentication class rests on.

    A user that is no row of the host's model (of a stateless class) rests on that class's word alone.
    """
    known = isinstance(user, get_user_model())
    device = getattr(auth, "device", None)
    of_session = known and auth is None and session is not None and _is_of(session, user)
    return Grounds(
        person.pk,
        str(user.pk) if known else None,
        auth_hash_of(user) if known else "",
        device and str(device),
        session.session_key if of_session and _is_kept(session) else None,
    )


def ends_at(auth: Any) -> float | None:
    """Return when what a class calls ``request.auth`` ends by itself, in unix seconds; None where it does not say.

    Read from ``expires_at`` (a number or a datetime), else from ``["exp"]``, as tokens that are JWTs have it.
    """
    ends = getattr(auth, "expires_at", None)
    if ends is None:
        try:
            ends = auth["exp"]
        except (TypeError, LookupError):
            return None
    if isinstance(ends, datetime):
        return ends.timestamp()
    return ends if isinstance(ends, (int, float)) and not isinstance(ends, bool) else None


def says_expired(refusal: APIException) -> bool:
    """Say whether a class refuses a token because its time is over, as our own and simplejwt's words have it."""
    if refusal.get_codes() == TokenExpired.code:
        return True
    said = refusal.detail.get("messages") if isinstance(refusal.detail, dict) else None
    # Of simplejwt's refusals only the words differ; they are looked up as it looks them up.
    words = gettext("Token is expired")
    return isinstance(said, list) and any(
        isinstance(one, dict) and one.get("message") == words for one in said
    )


def _is_of(session: Any, user: Any) -> bool:
    return bool(session.get(SESSION_KEY) == user._meta.pk.value_to_string(user))


def _is_kept(session: Any) -> bool:
    # A session that lives in its cookie is nowhere else, so nothing can be found to have ended.
    return not type(session).__module__.endswith("signed_cookies")


def standing_accounts(keys: Collection[str]) -> dict[str, str]:
    """Return the hash of each of these accounts that is there and active."""
    found: dict[str, str] = {}
    for some in _slices(keys):
        for user in get_user_model()._default_manager.filter(pk__in=some):
            if getattr(user, "is_active", True):
                found[str(user.pk)] = auth_hash_of(user)
    return found


def standing_devices(ids: Collection[str]) -> set[str]:
    """Return those of these devices that were not ended."""
    found: set[str] = set()
    for some in _slices(ids):
        living = Device.objects.filter(pk__in=some, ended_at=None)
        found.update(str(pk) for pk in living.values_list("pk", flat=True))
    return found


def standing_sessions(keys: Collection[str]) -> set[str]:
    """Return those of these sessions that the host's session store still has."""
    if not keys:
        return set()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):
        return {key for key in keys if store().exists(key)}
    found: set[str] = set()
    for some in _slices(keys):
        rows = store.get_model_class().objects.filter(
            session_key__in=some, expire_date__gt=timezone.now()
        )
        found.update(rows.values_list("session_key", flat=True))
    return found


@dataclass(frozen=True, slots=True)
class Fallen:
    """Grounds that no longer stand, and of which people because their account changed or went."""

    grounds: frozenset[Grounds]
    people: frozenset[UUID]


def fallen(asked: Iterable[Grounds]) -> Fallen:
    """Return which of these no longer stand: a query for all accounts, one for devices, one for sessions."""
    every = frozenset(asked)
    accounts = standing_accounts({one.account for one in every if one.account is not None})
    devices = standing_devices({one.device for one in every if one.device is not None})
    sessions = standing_sessions({one.session for one in every if one.session is not None})
    changed = {
        one
        for one in every
        if one.account is not None and accounts.get(one.account) != one.auth_hash
    }
    ended = {
        one
        for one in every
        if (one.device is not None and one.device not in devices)
        or (one.session is not None and one.session not in sessions)
    }
    return Fallen(frozenset(changed | ended), frozenset(one.person for one in changed))


def _slices(keys: Collection[str]) -> Iterable[list[str]]:
    listed = sorted(keys)
    return (listed[start : start + SLICE] for start in range(0, len(listed), SLICE))
