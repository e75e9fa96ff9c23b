"""Whoever may no longer be here is out within seconds, on every process, whether or not the chat was told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.live.processes import SetUp, manage
from tests.websocket.wire import Caller, Wire, greeted

# Seconds from the end of a sign-in to the end of its sockets.
SOON = 5

Outside = Callable[[str], None]


@pytest.fixture
def outside(setup: SetUp) -> Outside:
    """Run the host's own code in a process that serves nobody and tells the layer nothing."""

    def run(code: str) -> None:
        account = "from django.contrib.auth import get_user_model\nof = get_user_model().objects\n"
        manage(setup.environment, "shell", "-v", "0", "-c", account + code)

    return run


async def ended(wire: Wire) -> None:
    """The socket is told why and closed, soon."""
    begun = time.monotonic()
    assert await wire.closed() == 4401
    assert time.monotonic() - begun < SOON
    assert wire.heard[-1]["error"]["code"] == "unauthenticated"


CHANGES = {
    "password": "one = of.get(username={name!r}); one.set_password('a new one, and long'); one.save()",
    "inactive": "of.filter(username={name!r}).update(is_active=False)",
    "deleted": "of.get(username={name!r}).delete()",
    "gone without a trace": "of.filter(username={name!r})._raw_delete('default')",
    "device, by its row alone": (
        "from chat.models import Device; from django.utils import timezone\n"
        "Device.objects.filter(profile__username={name!r}).update(ended_at=timezone.now())"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_host_does_to_an_account_ends_its_sockets_everywhere(
    ann: Caller, bob: Caller, here: str, there: str, outside: Outside, change: str
) -> None:
    async def scene() -> None:
        async with (
            greeted(here, ann.token) as one,
            greeted(there, ann.token) as other,
            greeted(there, bob.token) as stays,
        ):
            await asyncio.to_thread(outside, CHANGES[change].format(name=ann.name))
            await asyncio.gather(ended(one), ended(other))
            assert (await stays.ask("ping"))["type"] == "done"

    asyncio.run(scene())


def test_ending_all_devices_ends_their_sockets_everywhere(
    ann: Caller, here: str, there: str
) -> None:
    first = ann.token
    ann.sign_in()

    async def scene() -> None:
        async with greeted(here, first) as one, greeted(there, ann.token) as other:
            await asyncio.to_thread(ann.call, "DELETE", "auth/devices/")
            await asyncio.gather(ended(one), ended(other))

    asyncio.run(scene())


def test_a_fresh_token_after_the_change_keeps_the_socket(ann: Caller, outside: Outside) -> None:
    """The old sign-in ends, and with it nothing that stands on the new one."""
    old = ann.token

    async def scene() -> None:
        fresh = await asyncio.to_thread(ann.sign_in)
        async with greeted(ann.address, old) as renewed, greeted(ann.address, old) as left:
            assert (await renewed.ask("auth", token=fresh))["type"] == "done"
            code = f"from chat.models import Device\nDevice.objects.exclude(pk='{ann.device}')"
            end = f"{code}.filter(profile__username='{ann.name}').update(ended_at='2000-01-01T00:00Z')"
            await asyncio.to_thread(outside, end)
            await ended(left)
            assert (await renewed.ask("ping"))["type"] == "done"

    asyncio.run(scene())
