"""Reads a raw IRC log: every line keeps its number, text comes out clean, time never goes back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

Kind = Literal["message", "action", "notice"]

_HALF_A_DAY = timedelta(hours=12)

_STAMPED = re.compile(r"\[([01]\d|2[0-3]):([0-5]\d)\] ?(.*)")
_MESSAGE = re.compile(r"<\s*([^>\s][^>]*?)\s*>(.*)")
_ACTION = re.compile(r"\s*\* (\S+)(.*)")
_CONCERNS = re.compile(
    r"(\S.*?)\s+(?:(?:\[\S*\]\s+)?has (?:joined|left)\b|is now known as\b|was kicked off\b).*"
)
_PAIR = re.compile(rb"\s*(\d+)\s+(\d+)\b")

_COLOUR = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something; ``number`` counts all lines of the log from 0."""

    number: int
    at: datetime
    kind: Kind
    nick: str | None
    text: str


class _Clock:
    """Knows hours and minutes only, and so tells midnight by a leap of half a day backwards."""

    def __init__(self, day: date) -> None:
        self.now = datetime.combine(day, time(), UTC)

    def set(self, hour: int, minute: int) -> None:
        at = self.now.replace(hour=hour, minute=minute)
        if self.now - at > _HALF_A_DAY:
            at += timedelta(days=1)
        self.now = max(self.now, at)


def parse(lines: Iterable[bytes], day: date) -> Iterator[Line]:
    """Yield what was said or noticed, in the order of the log; a line without text yields nothing.

    A notice takes the time of the line before it, or the first moment of ``day``.
    """
    clock = _Clock(day)
    for number, raw in enumerate(lines):
        body = clean(decode(raw))
        stamped = _STAMPED.fullmatch(body)
        if stamped:
            clock.set(int(stamped[1]), int(stamped[2]))
            body = stamped[3]
        kind, nick, text = (stamped and _said(body)) or _noticed(body)
        if text:
            yield Line(number, clock.now, kind, nick, text)


def recognised(lines: Iterable[bytes]) -> tuple[int, int, int]:
    """Count lines with text, of these stamped messages and actions, and notices that begin with `===`."""
    total = said = notices = 0
    for raw in lines:
        body = clean(decode(raw)).strip()
        stamped = _STAMPED.fullmatch(body)
        total += bool(body)
        said += bool(stamped and _said(stamped[3]))
        notices += body.startswith("===")
    return total, said, notices


def parse_annotations(lines: Iterable[bytes]) -> dict[int, int]:
    """Return for each line that answers an earlier one the nearest line it answers."""
    answers: dict[int, int] = {}
    for pair in filter(None, map(_PAIR.match, lines)):
        target, answer = int(pair[1]), int(pair[2])
        if target < answer:
            answers[answer] = max(target, answers.get(answer, target))
    return answers


def decode(raw: bytes) -> str:
    """Decode UTF-8, and else the whole line as the Windows code page that IRC clients sent."""
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def clean(text: str) -> str:
    """Remove colours, control characters and what cannot be stored; a tab becomes a space."""
    return _INVISIBLE.sub("", _COLOUR.sub("", text.replace("\t", " ")))


def _said(body: str) -> tuple[Kind, str, str] | None:
    if message := _MESSAGE.fullmatch(body):
        return "message", message[1], message[2].strip()
    if action := _ACTION.fullmatch(body):
        return "action", action[1], action[2].strip()
    return None


def _noticed(body: str) -> tuple[Kind, str | None, str]:
    text = body.removeprefix("===").strip()
    concerns = _CONCERNS.fullmatch(text)
    return "notice", concerns and concerns[1], text
