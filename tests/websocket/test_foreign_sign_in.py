"""Sockets that another package's class signed in end when that class would no longer let them in."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import httpx2
import jwt
import pytest

from tests.live.processes import Environment, SetUp, manage, server, wait_until_ready
from tests.websocket.test_ways_in import opened, refusal
from tests.websocket.wire import PASSWORD, WITHIN, Wire, socket

KEY = "the key of the host's own tokens, for a test only: 1357924680"
# Seconds from the end of a sign-in to the end of its sockets.
SOON = 5

_numbers = count(1)


class Host:
    """A server process of a host, and what the host does in its own code."""

    def __init__(self, environment: Environment, address: str) -> None:
        self.environment = environment
        self.address = address

    def run(self, code: str) -> None:
        named = "from django.contrib.auth import get_user_model\n"
        named += "from rest_framework.authtoken.models import Token\n"
        manage(self.environment, "shell", "-v", "0", "-c", named + code)

    def person(self) -> tuple[int, str, str]:
        """Make an account; return its key in the table, its name and its token of DRF."""
        number = 9_000 + next(_numbers)
        name, key = f"host-person-{number}", f"{number:040}"
        self.run(
            f"one = get_user_model().objects.create_user({name!r}, password={PASSWORD!r}, pk={number})\n"
            f"Token.objects.create(user=one, key={key!r})"
        )
        return number, name, key

    def ask(self, method: str, path: str, authorization: str) -> Any:
        url, headers = f"http://{self.address}/api/{path}", {"Authorization": authorization}
        return httpx2.request(method, url, headers=headers, timeout=WITHIN)

    def socket(self, authorization: str) -> AbstractAsyncContextManager[Wire]:
        return opened(self.address, Authorization=authorization)


@pytest.fixture(scope="module")
def host(setup: SetUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    environment = {**setup.environment, "DJANGO_SETTINGS_MODULE": "tests.foreign.settings"}
    manage(environment, "migrate", "--noinput")
    with server(environment, tmp_path_factory.mktemp("foreign") / "server.log") as one:
        wait_until_ready(one)
        yield Host(environment, one.address)


def jwt_of(account: int, ends_in: float) -> str:
    claims = {"token_type": "access", "jti": "any", "user_id": str(account), "iss": "parley"}
    claims |= {"aud": "parley", "exp": int(time.time() + ends_in)}
    return jwt.encode(claims, KEY, "HS256")


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


async def expires(wire: Wire) -> None:
    await wire.hear("hello")
    assert (await wire.hear("token.expiring"))["at"]
    assert await wire.closed() == 4401
    assert wire.heard[-1]["error"]["code"] == "token_expired"


def test_a_hosts_jwt_ends_its_sockets_as_it_ends_by_itself(host: Host) -> None:
    account, _, _ = host.person()
    token = jwt_of(account, 6)
    ticket = host.ask("POST", "auth/ticket/", f"Bearer {token}").json()["ticket"]

    async def scene() -> None:
        async with (
            host.socket(f"Bearer {token}") as by_header,
            socket(host.address, token) as by_subprotocol,
            socket(host.address, None, f"/ws/?ticket={ticket}") as by_ticket,
        ):
            await asyncio.gather(*map(expires, (by_header, by_subprotocol, by_ticket)))

    asyncio.run(scene())
    answer = host.ask("GET", "users/me/", f"Bearer {token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_a_token_that_the_host_deletes_ends_its_sockets_alone(host: Host) -> None:
    _, _, mine = host.person()
    _, _, other = host.person()

    async def scene() -> None:
        async with (
            host.socket(f"Token {mine}") as ends,
            host.socket(f"Token {other}") as stays,
        ):
            await asyncio.gather(ends.hear("hello"), stays.hear("hello"))
            await asyncio.to_thread(host.run, f"Token.objects.filter(key={mine!r}).delete()")
            begun = time.monotonic()
            assert await ends.closed() == 4401
            assert time.monotonic() - begun < SOON
            assert ends.heard[-1]["error"]["code"] == "unauthenticated"
            assert (await stays.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_a_token_that_now_names_another_ends_the_socket(host: Host) -> None:
    _, _, mine = host.person()
    other, _, _ = host.person()

    async def scene() -> None:
        async with host.socket(f"Token {mine}") as wire:
            await wire.hear("hello")
            code = f"Token.objects.filter(user={other}).delete()\n"
            code += f"Token.objects.filter(key={mine!r}).update(user={other})"
            await asyncio.to_thread(host.run, code)
            assert await wire.closed() == 4401

    asyncio.run(scene())


def test_a_fresh_token_takes_the_place_of_the_one_that_is_asked_after(host: Host) -> None:
    account, _, key = host.person()

    async def scene() -> None:
        async with host.socket(f"Token {key}") as wire:
            await wire.hear("hello")
            assert (await wire.ask("auth", token=jwt_of(account, 600)))["type"] == "done"
            await asyncio.to_thread(host.run, f"Token.objects.filter(key={key!r}).delete()")
            async with host.socket(f"Token {key}") as again:
                assert await refusal(again) == (4401, "unauthenticated")
            # Two heartbeats, which are as far apart as two looks.
            for _ in range(2):
                await wire.hear("heads")
            assert (await wire.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_passwords_are_guessed_no_oftener_here_than_at_the_door_for_them(host: Host) -> None:
    """Ten tries over REST and sockets together, and the right one is not looked at any more."""
    _, name, key = host.person()
    tries = [host.ask("GET", "users/me/", basic(name, PASSWORD)).status_code for _ in range(11)]
    assert tries == [200] * 11

    async def guess(password: str) -> tuple[int, str]:
        async with host.socket(basic(name, password)) as wire:
            return await refusal(wire)

    async def scene() -> None:
        async with host.socket(basic(name, PASSWORD)) as stays:
            await stays.hear("hello")
            guesses = [await guess("wrong") for _ in range(5)]
            assert guesses == [(4401, "unauthenticated")] * 5
            told = [
                await asyncio.to_thread(host.ask, "GET", "users/me/", basic(name, "wrong"))
                for _ in range(5)
            ]
            assert [answer.status_code for answer in told] == [401] * 5
            assert await guess(PASSWORD) == (4429, "rate_limited")
            # Who is in stays in, and another kind of sign-in goes on.
            await stays.hear("heads")
            assert (await stays.ask("ping"))["type"] == "done"

    asyncio.run(scene())
    answer = host.ask("GET", "users/me/", basic(name, PASSWORD))
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert host.ask("GET", "users/me/", f"Token {key}").status_code == 200
