"""Refusals of sockets stand in the security log, and nothing that a client wrote."""

from __future__ import annotations

import asyncio

from tests.live.processes import SetUp
from tests.websocket.wire import Caller, greeted, socket


def lines(setup: SetUp, event: str, operation: str) -> list[str]:
    found = setup.logs().splitlines()
    return [line for line in found if f"{event} " in line and operation in line]


def test_refused_commands_and_sockets_are_logged(setup: SetUp, ann: Caller, bob: Caller) -> None:
    room = ann.group("public", bob)
    message = ann.says(room, "Words of hers.")["id"]
    ann.call("PATCH", f"groups/{room}/", {"frozen": True})

    async def scene() -> None:
        async with greeted(bob.address, bob.token) as wire:
            await wire.ask("message.edit", message=message, text="Words of his.")
            await wire.ask("message.send", room=room, text="More words of his.")
        async with socket(bob.address, "forged.forged.forged") as wire:
            await wire.closed()

    asyncio.run(scene())
    # Other tests of the same service are refused as well.
    edits, sends = (
        lines(setup, "access.refused", f"socket:message.{verb}") for verb in ("edit", "send")
    )
    (_edit,) = [line for line in edits if bob.id in line]
    (send,) = [line for line in sends if room in line]
    assert lines(setup, "token.refused", "socket:open")
    assert bob.id in send
    assert "ords of his" not in setup.logs()
