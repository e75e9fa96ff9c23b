"""Rooms and who is in them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from uuid6 import uuid7

from chat.models.people import Profile

# Unread is exact up to here; this number means "this many or more".
UNREAD_MAX = 100


class Room(models.Model):
    """A log with a name: ``head`` is the seq of its last event, and whoever changes the room locks this row.

    ``key`` makes a room the only one of its sort: the pair of a direct room, the person of a self room,
    the source of an import. ``history_floor`` is the highest ``history_from`` ever given to a member;
    an event, which all members see alike, quotes nothing from below it.
    """

    class Kind(models.TextChoices):
        """What sort of room it is."""

        GROUP = "group"
        DIRECT = "direct"
        SELF = "self"

    class Visibility(models.TextChoices):
        """Whether people outside a group may know of it and join."""

        PUBLIC = "public"
        PRIVATE = "private"

    class History(models.TextChoices):
        """What a new member sees of the past."""

        ALL = "all"
        JOINED = "joined", "from joining on"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    title = models.CharField(max_length=200, blank=True)
    topic = models.CharField(max_length=1000, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, null=True, blank=True)
    history = models.CharField(max_length=10, choices=History.choices, default=History.ALL)
    avatar_url = models.URLField(max_length=500, blank=True)
    frozen = models.BooleanField(default=False)
    slow_mode = models.PositiveIntegerField(
        default=0, help_text="Seconds between two messages of one person."
    )
    head = models.PositiveBigIntegerField(default=0)
    history_floor = models.PositiveBigIntegerField(default=0)
    members_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    digest = models.BinaryField(max_length=32, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    active_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [
            ("moderate_room", "Can moderate: act as staff on rooms, members, messages and devices"),
        ]
        constraints = [
            models.CheckConstraint(
                name="chat_room_visibility",
                condition=Q(kind="group", visibility__in=["public", "private"])
                | Q(kind__in=["direct", "self"], visibility=None),
            ),
            models.CheckConstraint(
                name="chat_room_key", condition=Q(kind="group") | Q(key__isnull=False)
            ),
        ]
        indexes = [
            models.Index(
                fields=["-active_at", "-id"],
                name="chat_room_directory",
                condition=Q(visibility="public", deleted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.id}"


class Membership(models.Model):
    """A person in a room: the right to read and write, and a cursor into its log.

    ``read_seq`` only rises; *mark unread* sets ``unread_from`` and leaves it alone. Nothing below
    ``history_from`` may ever be shown to this person. ``sent_at`` is kept only in slow rooms.
    ``added`` says that somebody else put the person into a group: such a group is not a common room
    for ``direct_from`` and ``groups_from``, because the person did not choose it.
    """

    class Role(models.TextChoices):
        """From the most to the least that one may do."""

        OWNER = "owner"
        ADMIN = "admin"
        MODERATOR = "moderator"
        MEMBER = "member"

    class Notify(models.TextChoices):
        """What this person wants to be told of."""

        ALL = "all"
        MENTIONS = "mentions"
        NONE = "none"

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    user = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now)
    history_from = models.PositiveBigIntegerField(default=0)
    read_seq = models.PositiveBigIntegerField(default=0)
    unread_from = models.PositiveBigIntegerField(null=True, blank=True)
    muted_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    notify = models.CharField(max_length=10, choices=Notify.choices, default=Notify.ALL)
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    # With a default in the database: processes of the version before insert rows without it.
    added = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="chat_membership_once"),
        ]
        indexes = [
            models.Index(fields=["room", "joined_at", "id"], name="chat_membership_joined"),
            # Few members of a large room have a role above the lowest.
            models.Index(
                fields=["room", "role"],
                name="chat_membership_roles",
                condition=~Q(role="member"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}"
