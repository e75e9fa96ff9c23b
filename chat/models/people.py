"""People as others see them, and the devices they are signed in on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.validators import RegexValidator, URLValidator
from django.db import models, router
from django.db.models import Q
from django.db.models.deletion import Collector
from django.db.models.functions import Lower
from django.utils import timezone
from uuid6 import uuid7

# Characters of a reason that staff or a room's moderators give.
REASON_MAX = 500

# ASCII only: with one alphabet no two handles can look alike but for case, which the constraint folds.
HANDLE = RegexValidator(
    r"\A(?=.*[A-Za-z0-9])[A-Za-z0-9_.\-]{1,64}\Z",
    "Use 1 to 64 letters, digits, dots, dashes or underscores; not signs alone.",
)


# The label of a person whose account was deleted, for staff; clients have words of their own.
DELETED_ACCOUNT = "Deleted account"


def forget_account(
    collector: Collector, field: Any, people: models.QuerySet[Any], using: str
) -> None:
    """Empty the key of an account that is being deleted, where the profile is in the same database.

    Elsewhere the key stays until the deletion is committed: see :mod:`chat.actions.accounts`.
    """
    if router.db_for_write(Profile) == using:
        collector.add_field_update(field, None, people.using(using))


# Without this Django would fetch the profiles first, only to see whether there are any.
forget_account.lazy_sub_objs = True  # type: ignore[attr-defined]


class Profile(models.Model):
    """The one source of what others see of a person; never holds an e-mail address.

    A person may have no account (imported, deleted): then ``user`` is empty and nobody can sign in.
    ``deleted_at`` tells a deleted account from a person who never had one. Its ``username`` stays
    reserved until ``CHAT["HANDLE_HOLD"]`` is over, and is shown to nobody.
    """

    class DirectFrom(models.TextChoices):
        """Who may open a direct room with this person."""

        EVERYONE = "everyone"
        ROOMS = "rooms", "people in the same room"
        NOBODY = "nobody"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The host's account is only a key: no constraint, so that chat tables may live in a database of their own.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=forget_account,
        db_constraint=False,
        related_name="+",
    )
    username = models.CharField(max_length=64, validators=[HANDLE])
    display_name = models.CharField(max_length=100, blank=True)
    avatar_url = models.URLField(
        max_length=500, blank=True, validators=[URLValidator(schemes=["http", "https"])]
    )
    direct_from = models.CharField(
        max_length=10, choices=DirectFrom.choices, default=DirectFrom.EVERYONE
    )
    # The people who may add this person to a group; empty follows ``direct_from``.
    groups_from = models.CharField(max_length=10, choices=DirectFrom.choices, null=True, blank=True)
    source_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    # A suspension in the whole service; without an end it lasts until staff lift it. The person may read the reason.
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)
    # The database has the default too, because servers of the version before insert rows without this column.
    suspension_reason = models.CharField(
        max_length=REASON_MAX, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="chat_profile_suspension",
                condition=(Q(suspended_at=None, suspended_until=None, suspension_reason=""))
                | (Q(suspended_at__isnull=False) & ~Q(suspension_reason="")),
            ),
            models.UniqueConstraint(
                Lower("username"),
                name="chat_profile_username",
                violation_error_message="This name is taken.",
            ),
            models.CheckConstraint(
                name="chat_profile_deleted", condition=Q(deleted_at=None) | Q(user=None)
            ),
            models.CheckConstraint(
                name="chat_profile_consent",
                condition=Q(groups_from=None) | Q(groups_from__in=["everyone", "rooms", "nobody"]),
            ),
        ]

    def __str__(self) -> str:
        return DELETED_ACCOUNT if self.deleted_at else self.username

    @property
    def is_suspended(self) -> bool:
        """Say whether a suspension holds now; it ends by itself at its end."""
        if self.suspended_at is None:
            return False
        return self.suspended_until is None or self.suspended_until > timezone.now()


class Device(models.Model):
    """A signed-in client; its id is the ``sid`` that each of its tokens carries.

    ``refresh_jti`` is the only refresh token that still works. ``auth_hash`` is the account's session
    hash at sign-in: once the password changes it no longer matches, and the device is at its end.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=200, blank=True)
    auth_hash = models.CharField(max_length=128)
    refresh_jti = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # Each sign-in deletes the rows that were last seen before any token could still be valid.
            models.Index(fields=["seen_at"], name="chat_device_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'device'} of {self.profile_id}"


class Ticket(models.Model):
    """Lets a socket in once, on the grounds of whoever asked for it; known by its digest alone.

    It lives for seconds: a used one is deleted, an expired one when others are made.
    """

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    person = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, null=True, on_delete=models.CASCADE, related_name="+")
    account = models.CharField(max_length=255, null=True)
    session = models.CharField(max_length=255, null=True)
    auth_hash = models.CharField(max_length=128)
    until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"ticket of {self.person_id}"
