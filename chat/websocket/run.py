"""Events of a room that go to its sockets together: one write for each socket instead of one for each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from chat.events import EVENTS, Published
from chat.serializers.events import MessagePayload

# Characters that go out together: a socket that takes nothing is then known to after so much.
TOGETHER_MAX = 65_536
# What does nothing to the sockets themselves, and so need not be the last of its run.
PLAIN = frozenset(name for name, event in EVENTS.items() if event.payload is MessagePayload)

# What takes sockets away before it is told, which are to hear all that was before it: alone in its run.
PARTING = frozenset({"member.left", "member.removed", "member.banned"})


@dataclass(frozen=True, slots=True)
class Run:
    """Events of one room that follow each other; ``since`` is from where one must see the room to be told all."""

    items: Sequence[Published]
    texts: tuple[str, ...]
    room: str
    first: int
    last: int
    since: int

    @classmethod
    def of(cls, items: Sequence[Published]) -> Run:
        """Return the run of some events, of which there is at least one."""
        texts = tuple(item.text for item in items)
        since = min(item.since for item in items)
        return cls(items, texts, items[0].room, items[0].seq, items[-1].seq, since)


def runs(items: Iterable[Published]) -> Iterator[list[Published]]:
    """Divide events that follow each other into those that may go out together; a live-only fact goes alone."""
    some: list[Published] = []
    size = 0
    for item in items:
        alone = not item.seq or item.type in PARTING
        if some and (alone or size + len(item.text) > TOGETHER_MAX):
            yield some
            some, size = [], 0
        some.append(item)
        size += len(item.text)
        if alone or item.type not in PLAIN:
            yield some
            some, size = [], 0
    if some:
        yield some
