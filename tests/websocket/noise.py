"""Frames that nobody should send: made up from a seed, so that a run can be repeated."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson

from chat.commands import COMMANDS
from tests.documents import SOCKETS

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    2**53 + 1,
    2**63,
    -(2**63),
    1.5,
    "",
    " ",
    "x" * 5_001,
    "\x00",
    "\u202e\u200b",
    "r.1!x",
    "../..",
    "'; DROP TABLE chat_room; --",
    "{{7*7}}%s%n",
    "\U0001f600" * 300,
    [],
    [[[[[]]]]],
    ["x"] * 2_000,
    {},
    {"__proto__": {"type": "ping"}},
    {"constructor": 1},
    {str(number): number for number in range(1_500)},
    "00000000-0000-0000-0000-000000000000",
    "2999-99-99T99:99:99Z",
]
# What a layer or a server understands, and a client must never reach.
TYPES = [
    *COMMANDS,
    "websocket.disconnect",
    "websocket.close",
    "websocket.accept",
    "websocket.send",
    "chat.events",
    "chat.message",
    "room.deleted",
    "message.sent",
    "hello",
    "done",
    "_private",
    "__init__",
    "verb",
    "message.send ",
    "MESSAGE.SEND",
]
BROKEN = [
    "",
    " ",
    "null",
    "7",
    "{",
    "}",
    '"',
    "[]",
    "[" * 30_000,
    '{"a":' * 9_000 + "1" + "}" * 9_000,
    '{"type": "room.read", "seq": ' + "9" * 5_000 + "}",
    '{"type": "ping", "type": "message.send"}',
    '{"type": "ping", "seq": NaN}',
    '{"type": "ping", "seq": -Infinity}',
    '{"type": "ping", "x": 1e999}',
    '{"type": "message.send", "text": "\\ud800"}',
    "\ufeff{}",
    '{"type": "ping"}{"type": "ping"}',
    "\x00",
]


class Noise:
    """Frames for one person: about the rooms and messages that are there, and about none."""

    def __init__(self, seed: int, ids: list[str]) -> None:
        self.dice = random.Random(seed)
        self.ids = ids
        self.examples = [
            SOCKETS["components"]["messages"][name]["examples"][0]["payload"] for name in COMMANDS
        ]
        self.kinds: list[Callable[[], str | bytes]] = [
            self.characters,
            self.broken,
            self.cut,
            self.octets,
            self.made_up,
            *[self.bent] * 5,
        ]

    def frame(self) -> str | bytes:
        """Return the next frame, well below the size that a server cuts off."""
        return self.dice.choice(self.kinds)()

    def characters(self) -> str:
        alphabet = string.printable + "äß漢\U0001f600\u2028\u0000\ufffe"
        return "".join(self.dice.choices(alphabet, k=self.dice.randrange(300)))

    def broken(self) -> str:
        return self.dice.choice(BROKEN)

    def octets(self) -> bytes:
        return self.dice.randbytes(self.dice.randrange(200))

    def cut(self) -> str:
        whole = orjson.dumps(self.command()).decode()
        return whole[: self.dice.randrange(len(whole))]

    def made_up(self) -> str:
        fields = ["type", "ref", "room", "message", "id", "text", "seq", "epoch", "cursors"]
        body = {field: self.dice.choice([*ODD, *self.ids]) for field in self.dice.sample(fields, 4)}
        return self.written({"type": self.dice.choice(TYPES), **body})

    def bent(self) -> str:
        """A command as documented, with one thing in it that is otherwise."""
        command = self.command()
        field = self.dice.choice(list(command))
        command[field] = self.dice.choice(ODD)
        if self.dice.random() < 0.2:
            del command[self.dice.choice(list(command))]
        return self.written(command)

    def command(self) -> dict[str, Any]:
        """A command as its example shows it, about something that is there."""
        command = dict(self.dice.choice(self.examples))
        for field in ("room", "message", "reply_to"):
            if field in command:
                command[field] = self.dice.choice(self.ids)
        if "id" in command:
            command["id"] = str(UUID(int=self.dice.getrandbits(128)))
        return command

    def written(self, body: dict[str, Any]) -> str:
        try:
            return orjson.dumps(body).decode()
        except TypeError:
            # A number that this writer cannot say; a client may.
            return str(body).replace("'", '"')
