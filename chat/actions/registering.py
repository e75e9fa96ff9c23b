"""Check the fields of a new account and report every error at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import connections, router

from chat.actions.handles import RESERVED, is_reserved, is_taken
from chat.conf import chat_settings
from chat.errors import Conflict, Forbidden, Invalid
from chat.models.people import HANDLE

TAKEN = "This name is taken."
IN_USE = "This e-mail address is in use."
REQUIRED = "This field is required."


@dataclass
class Faults:
    """Errors of a new account: the faults of each field, and the fields that another account already has."""

    invalid: dict[str, Sequence[str]] = field(default_factory=dict)
    taken: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Sequence[str]]:
        """Return everything, by field."""
        return {**self.taken, **self.invalid}

    def refuse(self) -> None:
        """Raise Invalid with everything, or Conflict where fields are merely taken."""
        if self.invalid:
            raise Invalid(fields=self.fields)
        if self.taken:
            raise Conflict(next(iter(self.taken.values()))[0], fields=self.taken)


def signs_in_by_email() -> bool:
    """Say whether people sign in here with their e-mail address instead of a name."""
    return bool(_email_field() == get_user_model().USERNAME_FIELD)


def registration_faults(
    username: str | None = None, password: str | None = None, email: str | None = None
) -> Faults:
    """Return what is wrong with the fields of a new account that are given. Raises Forbidden if nobody may register."""
    if not chat_settings.REGISTRATION:
        raise Forbidden("Registration is closed.")
    faults = Faults()
    if username is not None:
        _look_at_handle(faults, username)
    if email is not None:
        _look_at_email(faults, email)
    if password is not None:
        _look_at_password(faults, username or "", password, email or "")
    return faults


def _look_at_handle(faults: Faults, username: str) -> None:
    if not username and signs_in_by_email():
        return
    try:
        HANDLE(username)
    except ValidationError as error:
        faults.invalid["username"] = error.messages
        return
    if is_reserved(username):
        faults.invalid["username"] = [RESERVED]
        return
    if is_taken(username):
        faults.taken["username"] = [TAKEN]


def _look_at_email(faults: Faults, email: str) -> None:
    if not email:
        if signs_in_by_email():
            faults.invalid["email"] = [REQUIRED]
        return
    model, name = get_user_model(), _email_field()
    # Where the lock of the address is: a replica that lags lacks the newest accounts.
    accounts = model._base_manager.using(router.db_for_write(model))
    if name and accounts.filter(**{f"{name}__iexact": email}).exists():
        faults.taken["email"] = [IN_USE]


def _look_at_password(faults: Faults, username: str, password: str, email: str) -> None:
    try:
        validate_password(password, get_user_model()(**account_fields(username, email)))
    except ValidationError as error:
        faults.invalid["password"] = error.messages


def _email_field() -> str | None:
    """Return the name of the host's field for addresses, if there is one."""
    model = get_user_model()
    name: str = getattr(model, "EMAIL_FIELD", None) or "email"
    return name if name in {one.name for one in model._meta.get_fields()} else None


def account_fields(username: str, email: str) -> dict[str, Any]:
    """Return what the host's user model calls a new account's name and address."""
    name = _email_field()
    account = {get_user_model().USERNAME_FIELD: username}
    return {**account, name: email} if name else account


def lock_email(email: str) -> None:
    """Let only one registration with an address go on at a time, because the host's table need not be unique.

    SQLite has one writer anyway. The lock ends with the transaction.
    """
    connection = connections[router.db_for_write(get_user_model())]
    if email and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            key = f"chat.register:{email.lower()}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
