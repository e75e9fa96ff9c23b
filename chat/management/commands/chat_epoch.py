"""Shows the epoch that every cursor belongs to, and renews it after a restore: `chat_epoch [--renew]`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chat.actions.epoch import renew_epoch
from chat.queries.epoch import current_epoch


class Command(BaseCommand):
    """Run with ``--renew`` after restoring a backup: every client is then told to start afresh."""

    help = "Show the epoch; renew it after the database was restored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one choice there is."""
        parser.add_argument("--renew", action="store_true", help="make every older cursor void")

    def handle(self, *args: Any, **options: Any) -> None:
        """Renew if asked to, then say what the epoch is."""
        if options["renew"]:
            renew_epoch()
        self.stdout.write(current_epoch())
