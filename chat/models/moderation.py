"""What staff did, and why: kept for whoever has to answer for it."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.models.messages import Message
from chat.models.people import REASON_MAX, Profile
from chat.models.rooms import Room


class Kept(models.QuerySet):
    """Rows that are added and read, and nothing else."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("A moderation entry is never changed.")

    def delete(self) -> NoReturn:
        raise TypeError("A moderation entry is never deleted.")


class ModerationEntry(models.Model):
    """One act of staff: who, what, to what or whom, when and why; written in the act's own transaction.

    ``seq`` is the place of its event in the room's log, which does not tell the reason. Room and message
    are remembered by their keys even when their rows are purged.
    """

    class Verb(models.TextChoices):
        """What was done."""

        DELETE_MESSAGE = "delete_message", "deleted a message"
        REMOVE_MEMBER = "remove_member", "removed a member"
        BAN_MEMBER = "ban_member", "banned a person"
        UNBAN_MEMBER = "unban_member", "lifted a ban"
        CHANGE_ROLE = "change_role", "changed a role"
        FREEZE_ROOM = "freeze_room", "froze a room"
        UNFREEZE_ROOM = "unfreeze_room", "unfroze a room"
        END_DEVICES = "end_devices", "ended devices"
        SUSPEND = "suspend", "suspended a person"
        LIFT_SUSPENSION = "lift_suspension", "lifted a suspension"
        READ_MESSAGE = "read_message", "read a message"

    verb = models.CharField(max_length=20, choices=Verb.choices)
    actor = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(
        Room, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    seq = models.PositiveBigIntegerField(null=True)
    message = models.ForeignKey(
        Message,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    subject = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=REASON_MAX, blank=True)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = Kept.as_manager()

    class Meta:
        verbose_name_plural = "moderation entries"
        constraints = [
            models.CheckConstraint(
                name="chat_moderation_reason", condition=Q(verb="read_message") | ~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}, {self.created_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row, once."""
        if not self._state.adding:
            raise TypeError("A moderation entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A moderation entry is never deleted.")
