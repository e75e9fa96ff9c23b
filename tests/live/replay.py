"""Turns a day of IRC into who says what when, and judges what became of it; touches no network."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import chain, count, groupby, pairwise
from operator import add
from typing import Any, NamedTuple
from uuid import uuid4

from chat.management.irc import Line, parse, parse_annotations
from tests.data import Day


class Entry(NamedTuple):
    """What must be the same wherever an event of a room is shown: pushed, logged or in a history."""

    seq: int
    type: str
    sender: str | None
    id: str | None = None
    text: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True)
class Draft:
    """A line to be said, with the id its author chose."""

    number: int
    author: str
    text: str
    id: str
    answers: str | None


@dataclass(frozen=True)
class Script:
    """A day: who takes part, and bursts of lines that were spoken within one minute."""

    people: list[str]
    bursts: list[list[Draft]]

    def silent(self, bursts: slice, count: int) -> list[str]:
        """Name people who speak both before and after these bursts, but not in them."""
        first, last = self._speakers(slice(bursts.start)), self._speakers(slice(bursts.stop, None))
        absent = (first & last) - self._speakers(bursts)
        return [person for person in self.people if person in absent][:count]

    def _speakers(self, bursts: slice) -> set[str]:
        return {draft.author for burst in self.bursts[bursts] for draft in burst}


@dataclass(frozen=True)
class Saying:
    """A draft, and the message that its author was told it had become."""

    draft: Draft
    acknowledged: Entry


@dataclass(frozen=True)
class Verdict:
    """What was wrong, counted; a room is sound when all counts are nought."""

    losses: int = 0
    doubles: int = 0
    disorder: int = 0
    forgeries: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(*map(add, astuple(self), astuple(other)))


SOUND = Verdict()


def script(day: Day) -> Script:
    """Read the day: every message and action becomes a draft, every annotation a reply."""
    with day.raw.open("rb") as raw, day.annotation.open("rb") as annotation:
        spoken = [line for line in parse(raw, day.date) if line.kind != "notice"]
        answers = parse_annotations(annotation)
    names = usernames(line.nick for line in spoken if line.nick)
    ids = {line.number: str(uuid4()) for line in spoken}
    minutes = groupby(spoken, lambda line: line.at)
    return Script(
        list(dict.fromkeys(names.values())),
        [[draft(line, names, ids, answers) for line in lines] for _, lines in minutes],
    )


def draft(
    line: Line, names: Mapping[str, str], ids: Mapping[int, str], answers: Mapping[int, int]
) -> Draft:
    text = f"/me {line.text}" if line.kind == "action" else line.text
    target = answers.get(line.number, -1)
    return Draft(line.number, names[str(line.nick)], text, ids[line.number], ids.get(target))


def usernames(nicks: Iterable[str]) -> dict[str, str]:
    """Give each nick a name that may be registered; nicks that differ in case only are one person."""
    names: dict[str, str] = {}
    by_person: dict[str, str] = {}
    for nick in dict.fromkeys(nicks):
        person = nick.lower()
        if person not in by_person:
            by_person[person] = unused(re.sub(r"[^A-Za-z0-9_.-]", "_", nick)[:50], by_person)
        names[nick] = by_person[person]
    return names


def unused(name: str, by_person: Mapping[str, str]) -> str:
    taken = {other.lower() for other in by_person.values()}
    numbered = (f"{name}.{number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one.lower() not in taken)


def entry_of(event: Mapping[str, Any]) -> Entry:
    """Read an event, as pushed or as logged."""
    message = event.get("message")
    if message:
        return entry_of_message(message, event["type"], event["seq"])
    return Entry(event["seq"], event["type"], username(event.get("actor")))


def entry_of_message(
    message: Mapping[str, Any], type: str = "message.sent", seq: int | None = None
) -> Entry:
    """Read a message, as acknowledged or in a history."""
    reply_to = message.get("reply_to")
    return Entry(
        message["seq"] if seq is None else seq,
        type,
        username(message["sender"]),
        message["id"],
        message["text"],
        reply_to and reply_to["id"],
    )


def username(user: Mapping[str, Any] | None) -> str | None:
    return user["username"] if user else None


def judge_log(log: Sequence[Entry]) -> Verdict:
    """A log counts 1, 2, 3 … without holes, and no message is sent in it twice."""
    numbers = [entry.seq for entry in log]
    ids = Counter(entry.id for entry in log if entry.type == "message.sent")
    highest = max(numbers, default=0)
    return Verdict(
        losses=len(set(range(1, highest + 1)) - set(numbers)),
        doubles=repeats(numbers) + sum(count - 1 for count in ids.values()),
        disorder=descents(numbers),
        forgeries=sum(entry.type == "hidden" for entry in log),
    )


def judge_copy(copy: Sequence[Entry], log: Sequence[Entry]) -> Verdict:
    """Whatever another place shows of the log is the log: all of it, once, in order, unchanged."""
    truth = {entry.seq: entry for entry in log}
    numbers = [entry.seq for entry in copy]
    return Verdict(
        losses=len(truth.keys() - set(numbers)),
        doubles=repeats(numbers),
        disorder=descents(numbers),
        forgeries=sum(truth.get(entry.seq) != entry for entry in copy),
    )


def judge_sayings(sayings: Sequence[Saying], log: Sequence[Entry]) -> Verdict:
    """All that is said was acknowledged and nothing else; each author's lines stand in their order."""
    truth = {entry.id: entry for entry in log if entry.type == "message.sent"}
    lines: dict[str, list[int]] = defaultdict(list)
    for saying in sorted(sayings, key=lambda saying: saying.draft.number):
        if saying.draft.id in truth:
            lines[saying.draft.author].append(truth[saying.draft.id].seq)
    return Verdict(
        losses=sum(saying.draft.id not in truth for saying in sayings),
        disorder=sum(map(descents, lines.values())),
        forgeries=sum(not told_truly(saying, truth.get(saying.draft.id)) for saying in sayings)
        + len(truth.keys() - {saying.draft.id for saying in sayings}),
    )


def told_truly(saying: Saying, stored: Entry | None) -> bool:
    """The acknowledgement repeats what was meant, and what is stored, if anything, repeats both."""
    draft, acknowledged = saying.draft, saying.acknowledged
    meant = Entry(
        acknowledged.seq, "message.sent", draft.author, draft.id, draft.text, draft.answers
    )
    return acknowledged == meant and stored in (None, meant)


def repeats(numbers: Sequence[int]) -> int:
    return len(numbers) - len(set(numbers))


def descents(numbers: Sequence[int]) -> int:
    return sum(later < earlier for earlier, later in pairwise(numbers))
