"""Who is kept out of a room."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from chat.models.people import REASON_MAX, Profile
from chat.models.rooms import Room


class Ban(models.Model):
    """A person who is not let into a group until the ban is lifted; whoever has one has no membership.

    It has no end of its own: what ends by itself is a silence (``Membership.muted_until``). The reason is for
    the room's moderators; what staff give as theirs stands in the moderation entry alone.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="bans", db_index=False)
    user = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="bans")
    by = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=REASON_MAX, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="chat_ban_once"),
        ]
        indexes = [
            models.Index(fields=["room", "-created_at", "-id"], name="chat_ban_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} banned from {self.room_id}"
