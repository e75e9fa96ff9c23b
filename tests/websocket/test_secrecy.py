"""Logs and errors of a running service: nothing private in them, and no line that a client wrote."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx2
import msgpack
import orjson
import pytest
import redis
from django.contrib.auth import get_user_model

from chat.actions.people import profile_for
from chat.actions.rooms import create_group
from chat.models import Membership, Room
from chat.outlets.sockets import group_of
from chat.policy import Policy
from chat.testing.sockets import Exchange
from tests.live.processes import SetUp
from tests.websocket.wire import PASSWORD, WITHIN, Caller, greeted, socket

WORDS = "the-words-of-this-message"
FORGED = '\r\n{"level": "INFO", "message": "forged-line"}\r\n'


def test_logs_are_whole_lines_without_anything_private(
    setup: SetUp, ann: Caller, bob: Caller
) -> None:
    room = ann.group("private", bob)
    ticket = ann.call("POST", "auth/ticket/")["ticket"]
    ann.says(room, WORDS)
    ask(ann, "GET", f"rooms/{quote(FORGED)}/", headers={"User-Agent": "forged\tagent"})
    ask(ann, "GET", "users/", params={"search": FORGED}, headers={"Cookie": "sessionid=a-cookie"})
    ask(ann, "POST", "auth/token/", {"username": f"eve{FORGED}", "password": "a-wrong-password"})
    ask(ann, "POST", f"rooms/{room}/messages/", {"text": WORDS, "metadata": {"a": "\0"}})

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            await wire.ask("message.send", room=room, text=WORDS)
            await wire.ask("message.send", room=room, text=WORDS + FORGED, id="no id")
            await wire.send('{"type": "' + WORDS)
        async with socket(ann.address, None, f"/ws/?ticket={ticket}") as wire:
            await wire.hear("hello")

    asyncio.run(scene())
    logs = setup.logs()
    secrets = (ann.token, ticket, PASSWORD, WORDS, "a-cookie", "a-wrong-password")
    assert not [secret for secret in secrets if secret in logs]
    lines = [orjson.loads(line) for line in logs.splitlines() if line]
    assert not [line for line in lines if line.get("message") == "forged-line"]
    assert [line for line in lines if "forged-line" in str(line)]


def ask(caller: Caller, method: str, path: str, body: Any = None, **more: Any) -> None:
    """Ask for what may well be refused."""
    headers = {"Authorization": f"Bearer {caller.token}", **more.pop("headers", {})}
    url = f"http://{caller.address}/api/{path}"
    httpx2.request(method, url, json=body, headers=headers, timeout=WITHIN, **more)


class Broken(Policy):
    """A policy of a host, with a defect."""

    def may_send_message(self, member: Membership, room: Room) -> bool:
        raise ZeroDivisionError("a secret of the house")

    may_pin_message = may_update_room = may_send_message  # type: ignore[assignment]


def test_a_defect_behind_a_command_is_answered_without_its_words(
    transactional_db: None,
    configured: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = get_user_model().objects.create(username="ann")
    room, _ = create_group(profile_for(account), title="Den", visibility="private")
    configured(POLICY=Broken)
    with closing(Exchange(monkeypatch)) as exchange, exchange.open(account) as wire:
        with caplog.at_level(logging.ERROR):
            answer = wire.ask("message.send", room=str(room.pk), text=WORDS)
        assert wire.ask("ping")["type"] == "done"
    assert answer["type"] == "failed"
    assert answer["error"]["code"] == "unavailable"
    assert answer["error"]["detail"] == "Something went wrong here."
    told = "".join(record.getMessage() for record in caplog.records)
    assert "ZeroDivisionError" in told
    assert "secret" not in told
    assert WORDS not in told


@pytest.mark.redis
def test_what_another_program_says_in_the_layer_runs_nothing(
    setup: SetUp, ann: Caller, bob: Caller
) -> None:
    room = ann.group("private", bob)
    channel = f"{setup.environment['REDIS_PREFIX']}__group__{group_of(room)}"
    forged = [
        {"type": "websocket.disconnect", "code": 1000},
        {"type": "websocket.send", "text": "forged"},
        {"type": "_private"},
        {"type": "chat.events", "origin": "", "room": room, "events": [["forged"]]},
        ["no", "object"],
    ]

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            with redis.Redis.from_url(os.environ["REDIS_URL"]) as other:
                heard = [other.publish(channel, msgpack.packb(one)) for one in forged]
            assert all(heard), f"nobody listens on {channel}"
            await asyncio.to_thread(ann.says, room, "And on.")
            told = await wire.hear("message.sent")
            assert told["message"]["text"] == "And on."
            assert {frame["type"] for frame in wire.heard} <= {"hello", "heads", "message.sent"}

    asyncio.run(scene())
