"""Turns a read IRC log into lines to import: who is who, what answers what, under ids that never change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from chat.actions.imports import Line, Speaker
from chat.actions.people import handle_from
from chat.conf import chat_settings
from chat.management import irc
from chat.serializers.cleaning import shows, tidy_message, tidy_name

# The namespace of the ids that lines get; under any other a second run would add everything again.
LINES = UUID("6f0a1a5e-2d0e-5f0e-9c57-0d8b3f4f2b1c")


def with_actions(read: Sequence[irc.Line]) -> list[irc.Line]:
    """Return the lines, where a notice that begins with a speaker's nick is what it was: an action.

    Old logs write `=== nick waves` for it, and only the rest of the log tells that nick is someone.
    """
    speakers = {line.nick for line in read if line.kind != "notice"}
    return [_as_action(line) if _is_action(line, speakers) else line for line in read]


def _is_action(line: irc.Line, speakers: set[str | None]) -> bool:
    return line.kind == "notice" and line.nick is None and line.text.split(" ")[0] in speakers


def _as_action(line: irc.Line) -> irc.Line:
    nick, _, rest = line.text.partition(" ")
    return replace(line, kind="action", nick=nick, text=rest)


def kinds(read: Sequence[irc.Line]) -> Counter[str]:
    """Return how many lines there are of each kind."""
    return Counter(line.kind for line in read)


def importable(read: Sequence[irc.Line], answers: dict[int, int], *, source: str) -> Iterator[Line]:
    """Yield the lines of a log as an import takes them; ``source`` is part of every id.

    A line of which a reader would see nothing is left out.
    """
    ids = _ids(read, source)
    for line in read:
        text = _text(line)
        if not shows(text):
            continue
        yield Line(
            id=ids[line.number],
            at=line.at,
            text=text,
            speaker=None if line.kind == "notice" or line.nick is None else _speaker(line.nick),
            reply_to=ids.get(answers.get(line.number, -1)),
        )


def _ids(read: Sequence[irc.Line], source: str) -> dict[int, UUID]:
    """Return an id for each line number, made of what was said, by whom and when.

    Not of the number: a log that was cut or continued is still the same conversation. Of lines alike to
    the minute the first stays the first.
    """
    seen: Counter[str] = Counter()
    ids: dict[int, UUID] = {}
    for line in read:
        said = f"{source}|{line.at.isoformat()}|{line.kind}|{line.nick}|{line.text}"
        ids[line.number] = uuid5(LINES, f"{said}|{seen[said]}")
        seen[said] += 1
    return ids


def _text(line: irc.Line) -> str:
    # An action as clients have always typed it; whoever shows it may draw it as one.
    text = f"/me {line.text}" if line.kind == "action" else line.text
    return tidy_message(text)[: chat_settings.TEXT_MAX]


def _speaker(nick: str) -> Speaker:
    # IRC folds the case of nicks: Ann and ann are one person.
    return Speaker(f"irc:{nick.lower()}"[:200], handle_from(nick), tidy_name(nick[:200])[:100])
