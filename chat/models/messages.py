"""What people said."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from uuid6 import uuid7

from chat.models.people import Profile
from chat.models.rooms import Room


class Message(models.Model):
    """One message: ``seq`` is its place in the room's log, ``version`` the seq of its last change.

    The sender's client chooses the id. ``digest`` is of the first input, so that a repeat is told from
    another message under the same id, even after an edit. A deleted message keeps its row and its place.
    """

    class Kind(models.TextChoices):
        """Who speaks: a person, or the room itself."""

        TEXT = "text"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Without an index of its own: the unique constraint below begins with the room.
    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    seq = models.PositiveBigIntegerField()
    version = models.PositiveBigIntegerField()
    sender = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TEXT)
    text = models.TextField(blank=True)
    reply_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.RESTRICT, related_name="+", db_index=False
    )
    metadata = models.JSONField(default=dict, blank=True)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    pinned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="chat_message_place"),
            models.CheckConstraint(name="chat_message_version", condition=Q(version__gte=F("seq"))),
            models.CheckConstraint(
                name="chat_message_tombstone", condition=Q(deleted_at=None) | Q(text="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "-pinned_at", "-seq"],
                name="chat_message_pins",
                condition=Q(pinned_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
