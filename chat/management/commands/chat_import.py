"""Brings conversation in from elsewhere: `chat_import irc FILE --room TITLE [--annotations FILE]`."""

from __future__ import annotations

import datetime
import re
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.actions.imports import Imported, Line, import_lines, open_import_room
from chat.management import irc
from chat.management.conversation import importable, kinds, with_actions
from chat.queries.people import person_by_handle
from chat.serializers.cleaning import tidy_name

try:
    from rich import progress
except ImportError:
    progress = None  # type: ignore[assignment]

BATCH = 200
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Command(BaseCommand):
    """Reads a day of IRC into a room. Running it twice adds nothing."""

    help = "Import conversation: people, messages with their original times, notices, replies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the sources there are, and what an import is told."""
        parser.add_argument("source", choices=["irc"])
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--room", required=True, help="title of the room; made on the first run"
        )
        parser.add_argument("--annotations", type=Path, help="which line answers which: `a b -`")
        parser.add_argument(
            "--day", type=datetime.date.fromisoformat, help="default: as the file is named"
        )
        parser.add_argument("--owner", help="username of who shall own a new room")
        parser.add_argument("--private", action="store_true", help="a new room is not public")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the import and say what came of it."""
        file: Path = options["file"]
        raw, answers = _lines_of(file), irc.parse_annotations(_lines_of(options["annotations"]))
        _refuse_what_is_no_log(file, raw)
        day = options["day"] or _day_of(file)
        read = with_actions(list(irc.parse(raw, day)))
        room = self._room(options)
        lines = list(importable(read, answers, source=str(room.pk)))
        total = Imported()
        for batch in _shown(
            [lines[at : at + BATCH] for at in range(0, len(lines), BATCH)], file.name
        ):
            total.add(import_lines(room.pk, batch))
        count = kinds(read)
        self.stdout.write(
            f"{options['room']}: {total.messages} lines added ({total.replies} of them replies), "
            f"{total.people} people new, {total.known} lines were here already.\n"
            f"Read {len(read)} lines of {day}: {count['message']} messages, {count['action']} actions, "
            f"{count['notice']} notices."
        )

    def _room(self, options: dict[str, Any]) -> Any:
        title = tidy_name(options["room"][:300])
        if not 0 < len(title) <= 150:
            raise CommandError("A title has 1 to 150 characters.")
        owner = options["owner"] and person_by_handle(options["owner"])
        if options["owner"] and not owner:
            raise CommandError(f"There is no person {options['owner']!r}.")
        visibility = "private" if options["private"] else "public"
        key = f"import:irc:{title}"
        room, new = open_import_room(key, title, visibility=visibility, owner=owner)
        if new and owner is None:
            self.stdout.write(
                f"{title}: a new {visibility} room without an owner. Nobody in it can moderate it; "
                "staff can, and can name an owner, in the admin. Next time, say --owner."
            )
        return room


def _refuse_what_is_no_log(file: Path, raw: list[bytes]) -> None:
    """Raise CommandError unless someone says something and most lines have a form that is known."""
    total, said, notices = irc.recognised(raw)
    if said and (said + notices) * 2 >= total:
        return
    raise CommandError(
        f"{file} is not an IRC log, and nothing was imported. Of {total} lines with text, {said} are messages or "
        f"actions ('[12:34] <ann> text', '[12:34] * ann waves') and {notices} are notices "
        "('=== ann [~ann@host] has joined #tea'). At least half must be."
    )


def _lines_of(file: Path | None) -> list[bytes]:
    if file is None:
        return []
    try:
        return file.read_bytes().split(b"\n")
    except OSError as error:
        raise CommandError(f"Cannot read {file}: {error.strerror}.") from error


def _day_of(file: Path) -> datetime.date:
    """Return the day in the file's name, else that of its last change."""
    named = DAY.search(file.name)
    if named:
        try:
            return datetime.date.fromisoformat(named[0])
        except ValueError:
            pass
    return datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC).date()


def _shown(batches: list[list[Line]], name: str) -> Iterable[list[Line]]:
    """Return the batches under a progress bar."""
    if progress is None:
        raise CommandError("The progress bar needs: pip install 'django-parley[import]'")
    return progress.track(batches, description=f"Importing {name}")
