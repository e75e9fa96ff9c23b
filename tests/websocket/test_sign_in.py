"""Who may open a socket, by which of the ways, and how a refusal is said."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime
from uuid import uuid4

import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.live.processes import SetUp
from tests.websocket.wire import Caller, Wire, greeted, socket


def test_header_signs_in(ann: Caller) -> None:
    async def scene() -> None:
        headers = {"Authorization": f"Bearer {ann.token}"}
        url = f"ws://{ann.address}/ws/"
        async with connect(url, additional_headers=headers, proxy=None) as connection:
            hello = await Wire(connection).hear("hello")
            assert hello["user"]["id"] == ann.id
            assert connection.subprotocol is None

    asyncio.run(scene())


def test_subprotocol_signs_in_and_is_not_echoed(ann: Caller) -> None:
    async def scene() -> None:
        async with socket(ann.address, ann.token) as wire:
            assert (await wire.hear("hello"))["user"]["id"] == ann.id
            assert wire.connection.subprotocol == "chat.v1"
            response = wire.connection.response
            assert response is not None
            assert ann.token not in str(response.headers)

    asyncio.run(scene())


def test_first_frame_signs_in(ann: Caller) -> None:
    async def scene() -> None:
        async with socket(ann.address, None) as wire:
            await wire.send({"type": "auth", "ref": "a", "token": ann.token})
            assert (await wire.hear("hello"))["user"]["id"] == ann.id
            assert (await wire.hear("done"))["ref"] == "a"

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("token", "first", "code", "close"),
    [
        ("no.such.token", None, "unauthenticated", 4401),
        (None, '{"type": "message.send"}', "unauthenticated", 4401),
        (None, '{"type": "auth", "token": "x"}', "unauthenticated", 4401),
        (None, '{"type": "auth"}', "invalid", 4400),
        (None, "not json", "invalid", 4400),
        (None, b"\x00\x01", "unsupported", 4400),
        (None, '{"type": "auth", "token": "' + "x" * 5000 + '"}', "too_large", 1009),
    ],
)
def test_refusal_is_said_and_then_closed(
    here: str, token: str | None, first: str | bytes | None, code: str, close: int
) -> None:
    async def scene() -> None:
        async with socket(here, token) as wire:
            if first is not None:
                await wire.send(first)
            assert await wire.closed() == close
            assert [frame["error"]["code"] for frame in wire.heard] == [code]

    asyncio.run(scene())


@pytest.mark.parametrize("offered", [["chat.v2"], ["mqtt", "chat.v1.msgpack"], ["bearer.{}"]])
def test_subprotocols_without_a_known_one_are_refused(ann: Caller, offered: list[str]) -> None:
    async def scene() -> None:
        async with connect(
            f"ws://{ann.address}/ws/",
            subprotocols=[Subprotocol(one.format(ann.token)) for one in offered],
            additional_headers={"Authorization": f"Bearer {ann.token}"},
            proxy=None,
        ) as connection:
            wire = Wire(connection)
            assert await wire.closed() == 4400
            assert [frame["error"]["code"] for frame in wire.heard] == ["unsupported"]
            assert connection.subprotocol is None

    asyncio.run(scene())


def test_silence_is_refused_in_time(here: str) -> None:
    async def scene() -> None:
        async with socket(here, None) as wire:
            assert await wire.closed() == 4408

    asyncio.run(scene())


def test_token_in_the_url_is_not_looked_at_nor_logged(ann: Caller, setup: SetUp) -> None:
    async def scene() -> None:
        async with socket(ann.address, None, f"/ws/?token={ann.token}") as wire:
            await wire.send({"type": "ping"})
            assert await wire.closed() == 4401

    asyncio.run(scene())
    assert ann.token not in setup.logs()


def test_rooms_that_one_may_not_hear(ann: Caller, bob: Caller) -> None:
    private, public = ann.group("private"), ann.group("public")
    paths = {
        f"/ws/rooms/{private}/": ("not_found", 4404),
        f"/ws/rooms/{uuid4()}/": ("not_found", 4404),
        f"/ws/rooms/{public}/": ("forbidden", 4403),
        "/ws/rooms/r.1!x/": ("not_found", 4404),
        "/ws/elsewhere": ("not_found", 4404),
        f"/ws/direct/{uuid4()}/": ("not_found", 4404),
    }

    async def scene() -> None:
        for path, (code, close) in paths.items():
            async with socket(bob.address, bob.token, path) as wire:
                assert await wire.closed() == close, path
                assert [frame["error"]["code"] for frame in wire.heard] == [code], path

    asyncio.run(scene())


def test_logout_closes_the_sockets_of_that_device_only(ann: Caller) -> None:
    other = ann.token
    ending = ann.sign_in()

    async def scene() -> None:
        async with greeted(ann.address, other) as stays, greeted(ann.address, ending) as goes:
            await asyncio.to_thread(ann.call, "POST", "auth/logout/")
            assert await goes.closed() == 4401
            assert (await stays.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_a_token_that_ends_is_announced_and_then_ends_its_socket(ann: Caller) -> None:
    ends = int(time.time()) + 3
    claims = jwt.decode(ann.token, options={"verify_signature": False})
    short = jwt.encode({**claims, "exp": ends}, os.environ["JWT_SIGNING_KEY"], "HS256")

    async def scene() -> None:
        async with greeted(ann.address, short) as ending, greeted(ann.address, short) as renewed:
            said = (await ending.hear("token.expiring"))["at"]
            assert datetime.fromisoformat(said).timestamp() == ends
            assert (await renewed.ask("auth", token=ann.token))["type"] == "done"
            assert await ending.closed() == 4401
            assert ends <= time.time() < ends + 5
            assert ending.heard[-1]["error"]["code"] == "token_expired"
            assert (await renewed.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_fresh_token_keeps_the_socket_and_another_persons_ends_it(ann: Caller, bob: Caller) -> None:
    fresh = ann.sign_in()

    async def scene() -> None:
        async with greeted(ann.address, ann.token) as wire:
            assert (await wire.ask("auth", token=fresh))["type"] == "done"
            assert (await wire.ask("auth", token="x.y.z"))["error"]["code"] == "unauthenticated"
            await wire.send({"type": "auth", "token": bob.token})
            assert await wire.closed() == 4403

    asyncio.run(scene())
