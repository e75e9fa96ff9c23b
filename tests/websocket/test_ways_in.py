"""The other ways in: tickets, the cookie of one's own page, and whatever the host signs in by."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.live.processes import SetUp
from tests.websocket.wire import PASSWORD, WITHIN, Caller, Wire, greeted, socket


@asynccontextmanager
async def opened(address: str, origin: Any = None, **headers: str) -> AsyncIterator[Wire]:
    """Open a socket with just these headers."""
    url = f"ws://{address}/ws/"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with connect(url, origin=origin, additional_headers=named, proxy=None) as connection:
        yield Wire(connection)


async def refusal(wire: Wire) -> tuple[int, str]:
    code = await wire.closed()
    assert [frame["type"] for frame in wire.heard] == ["failed"]
    return code, wire.heard[0]["error"]["code"]


def session_of(one: Caller) -> str:
    """Sign in by the form of a browser and return the cookies it would send."""
    url = f"http://{one.address}/api-auth/login/"
    form = httpx2.get(url, timeout=WITHIN)
    cookies = {name: form.cookies[name] for name in form.cookies}
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert token
    body = {"username": one.name, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    header = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
    answer = httpx2.post(url, data=body, headers=header, timeout=WITHIN)
    assert answer.status_code == 302, answer.text
    cookies.update({name: answer.cookies[name] for name in answer.cookies})
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


# Tickets.


def test_a_ticket_opens_one_socket_on_any_process_and_is_not_logged(
    ann: Caller, there: str, setup: SetUp
) -> None:
    given = ann.call("POST", "auth/ticket/")
    assert 0 < given["expires_in"] <= 30
    path = f"/ws/?ticket={given['ticket']}"

    async def scene() -> None:
        async with socket(there, None, path) as wire:
            assert (await wire.hear("hello"))["user"]["id"] == ann.id
        for address in (ann.address, there):
            async with socket(address, None, path) as again:
                assert await refusal(again) == (4401, "unauthenticated")

    asyncio.run(scene())
    assert given["ticket"] not in setup.logs()


def test_of_two_sockets_with_one_ticket_exactly_one_opens(
    ann: Caller, here: str, there: str
) -> None:
    ticket = ann.call("POST", "auth/ticket/")["ticket"]

    async def enter(address: str) -> str:
        async with socket(address, None, f"/ws/?ticket={ticket}") as wire:
            return str((await wire.hear(lambda frame: True))["type"])

    async def scene() -> None:
        heard = await asyncio.gather(*(enter(address) for address in (here, there) * 3))
        assert sorted(heard) == ["failed"] * 5 + ["hello"]

    asyncio.run(scene())


@pytest.mark.parametrize("query", ["ticket=", "ticket=x", "ticket=%00%ff", "ticket=" + "x" * 400])
def test_what_is_no_ticket_is_refused(here: str, query: str) -> None:
    async def scene() -> None:
        async with socket(here, None, f"/ws/?{query}") as wire:
            if query == "ticket=":
                await wire.send({"type": "ping"})
            assert await refusal(wire) == (4401, "unauthenticated")

    asyncio.run(scene())


def test_a_socket_that_a_ticket_opened_ends_with_the_device_that_asked(ann: Caller) -> None:
    ticket = ann.call("POST", "auth/ticket/")["ticket"]

    async def scene() -> None:
        async with socket(ann.address, None, f"/ws/?ticket={ticket}") as wire:
            await wire.hear("hello")
            await asyncio.to_thread(ann.call, "POST", "auth/logout/")
            assert await wire.closed() == 4401

    asyncio.run(scene())


# Limits.


def test_wrong_passwords_are_counted_for_all_processes_together(
    bob: Caller, here: str, there: str
) -> None:
    said = []
    for number in range(11):
        url = f"http://{(here, there)[number % 2]}/api/auth/token/"
        body = {"username": bob.name + "-of-nowhere", "password": "wrong"}
        said.append(httpx2.post(url, json=body, timeout=WITHIN).status_code)
    assert said == [401] * 10 + [429]


# Cookies.


def test_a_session_signs_in_from_the_sites_own_pages_until_it_ends(ann: Caller, there: str) -> None:
    cookies = session_of(ann)
    ours = f"http://{there}"

    async def scene() -> None:
        async with opened(there, ours, Cookie=cookies) as wire:
            assert (await wire.hear("hello"))["user"]["id"] == ann.id
            await asyncio.to_thread(log_out, ann.address, cookies)
            assert await wire.closed() == 4401
        async with opened(there, ours, Cookie=cookies) as wire:
            # Nobody's cookie any more: the first frame may say who it is.
            await wire.send({"type": "auth", "token": ann.token})
            assert (await wire.hear("hello"))["user"]["id"] == ann.id

    asyncio.run(scene())


def log_out(address: str, cookies: str) -> None:
    token = re.search(r"csrftoken=([^;]+)", cookies)
    assert token
    headers = {"Cookie": cookies, "X-CSRFToken": token[1]}
    url = f"http://{address}/api/auth/logout/"
    assert httpx2.post(url, headers=headers, timeout=WITHIN).status_code == 204


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://{address}",
        "http://127.0.0.1:1",
        "http://127.0.0.1",
        "http://{address}.example.evil",
        "http://localhost:{port}",
        "http://example.evil",
        "http://x@{address}",
        "http://{address}/",
        "http://{address}, http://{address}",
    ],
)
def test_a_cookie_from_elsewhere_is_refused_and_says_why(
    here: str, session: str, origin: str | None
) -> None:
    named = origin and origin.format(address=here, port=here.partition(":")[2])

    async def scene() -> None:
        async with opened(here, named, Cookie=session) as wire:
            assert await refusal(wire) == (4403, "forbidden")
            assert "Origin" in wire.heard[0]["error"]["detail"]

    asyncio.run(scene())


@pytest.fixture(scope="module")
def session(setup: SetUp) -> str:
    return session_of(Caller.registered(setup.addresses[0], "cookie-person"))


def test_a_host_that_is_not_ours_is_no_origin_of_ours(here: str, session: str) -> None:
    host, port = here.split(":")
    cookie = {"Cookie": session}

    async def scene() -> None:
        evil: Any = "http://good.example.evil"
        url = "ws://good.example.evil/ws/"
        async with connect(
            url, host=host, port=port, origin=evil, additional_headers=cookie, proxy=None
        ) as connection:
            assert await refusal(Wire(connection)) == (4403, "forbidden")

    asyncio.run(scene())


def test_a_token_wins_over_a_cookie_and_needs_no_origin(
    bob: Caller, here: str, session: str
) -> None:
    bearer = f"Bearer {bob.token}"

    async def scene() -> None:
        for origin in (None, "http://example.evil", f"http://{here}"):
            async with opened(here, origin, Cookie=session, Authorization=bearer) as wire:
                assert (await wire.hear("hello"))["user"]["id"] == bob.id
        async with opened(
            here, f"http://{here}", Cookie=session, Authorization="Bearer x.y.z"
        ) as wire:
            assert await refusal(wire) == (4401, "unauthenticated")

    asyncio.run(scene())


# The host's own.


def test_a_hosts_own_class_signs_in_over_both_doors(ann: Caller, bob: Caller) -> None:
    key = {"X-Api-Key": f"key of {ann.name}"}
    me = httpx2.get(f"http://{ann.address}/api/users/me/", headers=key, timeout=WITHIN)
    assert me.json()["id"] == ann.id

    async def scene() -> None:
        async with opened(ann.address, X_Api_Key=key["X-Api-Key"]) as wire:
            assert (await wire.hear("hello"))["user"]["id"] == ann.id
        async with opened(ann.address, X_Api_Key="another") as wire:
            assert await refusal(wire) == (4401, "unauthenticated")
            assert json.dumps("There is no such key.") in json.dumps(wire.heard[0])
        async with greeted(bob.address, bob.token) as wire:
            assert (await wire.ask("ping"))["type"] == "done"

    asyncio.run(scene())
