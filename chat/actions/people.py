"""People: first sight, sign-up, and what they change of themselves."""

from __future__ import annotations

import re
import unicodedata
from secrets import token_hex
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, router, transaction

from chat.actions.locks import lock_own_logs, self_key
from chat.actions.texts import checked_name
from chat.actions.transactions import action
from chat.conf import chat_settings
from chat.errors import Conflict, Forbidden, Invalid
from chat.events import database, draft, draft_member, record
from chat.models import Membership, Profile, Room
from chat.models.people import HANDLE
from chat.queries.people import person_of_account
from chat.serializers.cleaning import tidy_name
from chat.serializers.rooms import RoomView

NAME_TRIES = 8
# Characters of a display name.
NAME_MAX = 100


def profile_of_account(user: AbstractBaseUser) -> dict[str, str]:
    """Return how a host's account is first shown: its username unless that is an address, and its full name."""
    name = user.get_username()
    handle = "" if "@" in name else handle_from(name)
    full_name = getattr(user, "get_full_name", str)()
    return {"username": handle, "display_name": "" if "@" in full_name else full_name}


def handle_from(name: str) -> str:
    """Return the name in the letters of a handle, at most 50 of them; what has none becomes empty."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.\-]+", "_", ascii_name)[:50].strip("_.-")


def profile_for(user: Any, auth: Any = None) -> Profile:
    """Return the profile of an account, made with its own log on first sight.

    ``auth`` is what an authentication class said beside the account: one that has met the person names them.
    """
    met = getattr(auth, "person", None)
    if isinstance(met, Profile) and met.user_id == user.pk:
        return met
    return person_of_account(user.pk) or _first_sight(user)


def _first_sight(user: Any) -> Profile:
    shown = chat_settings.PROFILE(user)
    try:
        return add_person(user_id=user.pk, **shown)
    except Conflict:
        # Two requests saw the account at once, and the other one was first.
        return Profile.objects.get(user_id=user.pk)


@action
def add_person(*, username: str, **fields: Any) -> Profile:
    """Make a profile and its own log. A taken or empty username is made unique; the rest must be free.

    Raises Conflict when the account, or the source key of an import, has a profile already.
    """
    wanted = username or f"user-{token_hex(4)}"
    # A host's accounts and an import may hold names that no form of ours would take.
    fields["display_name"] = tidy_name(fields.get("display_name") or "")[:NAME_MAX]
    for _ in range(NAME_TRIES):
        try:
            with transaction.atomic(using=database()):
                profile = Profile.objects.create(username=wanted, **fields)
        except IntegrityError:
            keys = {name: fields[name] for name in ("user_id", "source_key") if fields.get(name)}
            if keys and Profile.objects.filter(**keys).exists():
                raise Conflict("This person is here already.") from None
            wanted = f"{username or 'user'}-{token_hex(4)}"
        else:
            _open_own_log(profile)
            return profile
    raise Conflict("No free name was found.")


def _open_own_log(profile: Profile) -> None:
    log = Room.objects.create(
        kind=Room.Kind.SELF, key=self_key(profile.pk), created_by=profile, members_count=1
    )
    me = Membership.objects.create(room=log, user=profile, role=Membership.Role.OWNER)
    events = [draft(log, "room.created", actor=profile), draft_member("member.joined", me, profile)]
    record(events, {0: RoomView(log, personal=False)})


@action
def register_person(*, username: str, password: str, email: str = "") -> Profile:
    """Make an account of the host's user model and its profile.

    Raises Forbidden where registration is off, Invalid for a weak password or a name that is no handle,
    Conflict for a taken one.
    """
    if not chat_settings.REGISTRATION:
        raise Forbidden("Registration is closed.")
    _check_handle(username)
    account = _account_fields(username, email)
    model = get_user_model()
    try:
        validate_password(password, model(**account))
    except ValidationError as error:
        raise Invalid(fields={"password": error.messages}) from None
    if Profile.objects.filter(username__iexact=username).exists():
        raise _taken()
    try:
        # Where accounts are, which may be another database: a refused name must leave none behind there.
        # In the same one it is a savepoint, so that the refusal leaves a host's transaction usable.
        with transaction.atomic(using=router.db_for_write(model)):
            user = model._default_manager.create_user(**account, password=password)
            shown = {**chat_settings.PROFILE(user), "username": username}
            profile = add_person(user_id=user.pk, **shown)
            if profile.username != username:
                raise _taken()
    except IntegrityError:
        raise _taken() from None
    return profile


def _check_handle(username: str) -> None:
    try:
        HANDLE(username)
    except ValidationError as error:
        raise Invalid(fields={"username": error.messages}) from None


def _taken() -> Conflict:
    return Conflict("This name is taken.", fields={"username": ["This name is taken."]})


def _account_fields(username: str, email: str) -> dict[str, str]:
    """Return what the host's user model calls them; one that signs in by e-mail needs the address."""
    model = get_user_model()
    fields = {field.name for field in model._meta.get_fields()}
    account = {model.USERNAME_FIELD: username}
    address = getattr(model, "EMAIL_FIELD", "email")
    if address in fields:
        if address == model.USERNAME_FIELD and not email:
            raise Invalid(fields={"email": ["This field is required."]})
        account[address] = email
    return account


@action
def update_profile(person: Profile, **changes: str) -> Profile:
    """Change one's own profile; the event is in one's own log, others see it where they look next."""
    log = lock_own_logs([person])[person.pk]
    person.refresh_from_db()
    if "display_name" in changes:
        shown = checked_name("display_name", changes["display_name"], NAME_MAX, blank=True)
        changes["display_name"] = shown
    changed = [name for name, value in changes.items() if getattr(person, name) != value]
    if changed:
        for name in changed:
            setattr(person, name, changes[name])
        person.save(update_fields=changed)
        record([draft(log, "profile.updated", actor=person)])
    return person
