"""End the people whose account is gone: after a bulk delete in SQL, or a crash between two databases."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from chat.actions.accounts import end_missing


class Command(BaseCommand):
    """Compare people with accounts, and say how many had none any more."""

    help = "Ends the people whose account was deleted without the chat being told."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{end_missing()} people ended.")
