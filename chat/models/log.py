"""The log of each room, and the epoch that tells one installation's logs from another's."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.utils import timezone

from chat.models.messages import Message
from chat.models.people import Profile
from chat.models.rooms import Room


class Event(models.Model):
    """One durable change in a room, at its place ``seq``: 1, 2, 3 … without holes.

    It holds no message text: what an event shows is rendered from the current rows, so that deleting
    a message or erasing a person needs no surgery here. ``created_at`` is when it was appended, by the
    clock of one server; only ``seq`` is an order.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    actor = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.RESTRICT, related_name="+", db_index=False
    )
    subject = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    data = models.JSONField(default=dict, blank=True)
    # Indexed for the tick that asks what the last minute brought, in all rooms at once.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="chat_event_place"),
        ]
        indexes = [
            # What befell a person in a room: asked when they come back, and by whoever looks after it.
            models.Index(
                fields=["room", "subject", "-seq"],
                name="chat_event_subject",
                condition=models.Q(subject__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.room_id}/{self.seq}"


class Epoch(models.Model):
    """The one row whose value every cursor of this installation belongs to."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.UUIDField(default=uuid4)

    class Meta:
        constraints = [
            models.CheckConstraint(name="chat_epoch_single", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return str(self.value)
