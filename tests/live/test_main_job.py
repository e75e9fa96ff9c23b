"""A whole day of #ubuntu is lived through: everyone sees the one log, complete, once and in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain, groupby
from time import monotonic
from typing import TypeVar

import httpx2
import pytest

from tests.data import OWN_DAY, shared_day
from tests.live.people import Person
from tests.live.processes import SetUp
from tests.live.replay import (
    SOUND,
    Draft,
    Entry,
    Saying,
    Script,
    Verdict,
    judge_copy,
    judge_log,
    judge_sayings,
    script,
)

ALL_WITHIN = 300.0
AT_ONCE = 32
ABSENT = 6
TELLING = 20
LATECOMER = "latecomer"

Result = TypeVar("Result")


@dataclass
class Room:
    """The group that the day happens in, and what its people were told of their own lines."""

    id: str
    addresses: Sequence[str]
    people: Mapping[str, Person]
    sayings: dict[str, Saying]
    said: dict[str, asyncio.Event]

    async def say(self, draft: Draft) -> None:
        """Send a line once the line it answers is known to be stored."""
        if draft.answers:
            await self.said[draft.answers].wait()
        author = self.people[draft.author]
        entry = await author.send(self.id, draft.text, id=draft.id, reply_to=draft.answers)
        self.sayings[draft.id] = Saying(draft, entry)
        self.said[draft.id].set()

    async def repeat_last(self, name: str) -> None:
        """Send one's last line once more, as one does who did not hear the answer."""
        last = [saying for saying in self.sayings.values() if saying.draft.author == name][-1]
        draft, author = last.draft, self.people[name]
        again = await author.send(self.id, draft.text, id=draft.id, reply_to=draft.answers)
        assert again == last.acknowledged


@dataclass
class Shown:
    """All that can be seen of the room when the day is over."""

    log: list[Entry]
    logs: dict[str, list[Entry]]
    histories: dict[str, list[Entry]]
    late: list[Entry]


@pytest.mark.slow
def test_a_day_of_ubuntu(setup: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    day = script(shared_day("2007-06-04") or OWN_DAY)
    began = monotonic()
    room, shown = asyncio.run(live_through(day, setup.addresses))
    verdicts = judge(room, shown)
    total = sum(verdicts.values(), start=SOUND)
    with capsys.disabled():
        print(f"\n{setup.name}: {account(room, shown)}, {total}, {monotonic() - began:.1f} s")

    assert {place: verdict for place, verdict in verdicts.items() if verdict != SOUND} == {}
    assert [complaint for person in room.people.values() for complaint in person.complaints] == []
    assert everyone_joined_once(room, shown.log)
    assert len(room.sayings) == sum(map(len, day.bursts))
    assert leaks(setup.logs(), room) == []


async def live_through(day: Script, addresses: Sequence[str]) -> tuple[Room, Shown]:
    async with asyncio.timeout(ALL_WITHIN), http_client() as http:
        room = await gather_in_room(day, addresses, http)
        await replay(day, room)
        shown = await look_back(room, http)
        await together(person.disconnect() for person in room.people.values())
    return room, shown


async def gather_in_room(day: Script, addresses: Sequence[str], http: httpx2.AsyncClient) -> Room:
    people = {
        name: Person(
            name,
            addresses[number % len(addresses)],
            http,
            by_header=bool(number // len(addresses) % 2),
        )
        for number, name in enumerate(day.people)
    }
    await together(person.sign_up() for person in people.values())
    await together(person.connect() for person in people.values())
    first, *others = people.values()
    group = await first.call("POST", "groups/", {"title": "#ubuntu", "visibility": "public"})
    await together(person.call("POST", f"groups/{group['id']}/join/") for person in others)
    said = {draft.id: asyncio.Event() for draft in chain(*day.bursts)}
    return Room(group["id"], addresses, people, {}, said)


async def replay(day: Script, room: Room) -> None:
    """Speak the day burst by burst; halfway some people break off, miss a tenth of it, and come back."""
    half, missed = len(day.bursts) // 2, max(2, len(day.bursts) // 10)
    away = day.silent(slice(half, half + missed), ABSENT)
    assert away, "nobody can be spared, so nobody would resume"
    for number, burst in enumerate(day.bursts):
        if number == half:
            for name in away:
                room.people[name].drop()
        returning = away if number == half + missed - 1 else []
        await together([speak(burst, room), *(come_back(name, room) for name in returning)])


async def speak(burst: Sequence[Draft], room: Room) -> None:
    """Let all people of the burst speak at once, each their own lines one after the other."""
    by_author = sorted(burst, key=lambda draft: (draft.author, draft.number))
    turns = [list(lines) for _, lines in groupby(by_author, lambda draft: draft.author)]
    await together(in_turn(lines, room) for lines in turns)


async def in_turn(lines: Iterable[Draft], room: Room) -> None:
    for line in lines:
        await room.say(line)


async def come_back(name: str, room: Room) -> None:
    """Resume at the next process, while others speak, and repeat one's last line."""
    person = room.people[name]
    here = room.addresses.index(person.address)
    await person.reconnect_and_resume(room.addresses[(here + 1) % len(room.addresses)])
    await room.repeat_last(name)


async def look_back(room: Room, http: httpx2.AsyncClient) -> Shown:
    """Let one more person join, wait until everyone has heard of it, and read all there is."""
    latecomer = Person(LATECOMER, room.addresses[0], http)
    await latecomer.sign_up()
    await latecomer.call("POST", f"groups/{room.id}/join/")
    first, *_ = room.people.values()
    log = await first.log(room.id)
    await together(person.reach(room.id, log[-1].seq) for person in room.people.values())
    return Shown(
        log,
        {address: await first.log(room.id, at=address) for address in room.addresses},
        {address: await first.history(room.id, at=address) for address in room.addresses},
        await latecomer.history(room.id),
    )


def judge(room: Room, shown: Shown) -> dict[str, Verdict]:
    """Judge every place where the room can be seen; all must show the one log."""
    messages = [entry for entry in shown.log if entry.type == "message.sent"]
    copies = {name: person.copy(room.id).applied for name, person in room.people.items()}
    return {
        "the log": judge_log(shown.log),
        "what was acknowledged": judge_sayings(list(room.sayings.values()), shown.log),
        **{f"the log at {at}": judge_copy(log, shown.log) for at, log in shown.logs.items()},
        **{f"history at {at}": judge_copy(seen, messages) for at, seen in shown.histories.items()},
        "the latecomer": judge_copy(shown.late, messages),
        **{f"socket of {name}": judge_copy(copy, shown.log) for name, copy in copies.items()},
    }


def account(room: Room, shown: Shown) -> str:
    copies = [person.copy(room.id) for person in room.people.values()]
    following = [person.following for person in room.people.values()]
    return (
        f"{len(room.people)} people, {len(room.sayings)} messages, {len(shown.log)} events, "
        f"{sum(copy.pushed for copy in copies)} deliveries "
        f"({sum(copy.repeated for copy in copies)} repeated), "
        f"{sum(one.resumes for one in following)} resumes, {sum(one.resets for one in following)} resets"
    )


def everyone_joined_once(room: Room, log: Sequence[Entry]) -> bool:
    first, *others = room.people
    joined = Counter(entry.sender for entry in log if entry.type == "member.joined")
    del joined[first]
    return joined == Counter([*others, LATECOMER])


def leaks(logs: str, room: Room) -> list[str]:
    """Name what must never be in a log: a traceback, a secret, a text long enough to be told apart."""
    secrets = [
        secret for person in room.people.values() for secret in (person.token, person.password)
    ]
    texts = {saying.draft.text for saying in room.sayings.values()}
    telling = [text for text in texts if len(text) >= TELLING]
    return [found for found in ["Traceback", *secrets, *telling] if found in logs]


@asynccontextmanager
async def http_client() -> AsyncIterator[httpx2.AsyncClient]:
    # Below the server's own keep-alive of 5 s: else a request meets a connection that is being closed.
    limits = httpx2.Limits(max_connections=AT_ONCE, keepalive_expiry=2)
    timeout = httpx2.Timeout(60, pool=None)
    async with httpx2.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as client:
        yield client


async def together(works: Iterable[Awaitable[Result]]) -> list[Result]:
    return await asyncio.gather(*works)
