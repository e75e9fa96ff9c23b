"""One websocket from handshake to end: signs in, says hello, answers commands, hears its rooms."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from itertools import count
from typing import Any
from uuid import UUID

from chat import metrics
from chat.actions.rooms import open_direct
from chat.actions.sending import Draft
from chat.commands import COMMANDS, Command, run, validated
from chat.conf import chat_settings
from chat.errors import (
    ChatError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from chat.events import encode
from chat.limits.addresses import network_in
from chat.limits.rooms import count_direct
from chat.queries.access import membership_of
from chat.security_log import log_refusal
from chat.websocket.bridge import cross
from chat.websocket.engine import running_hub
from chat.websocket.frames import (
    CLOSE_CODES,
    failed,
    log_failed,
    parsed,
    ref_of,
    refuse,
    size_of,
)
from chat.websocket.handshake import Choose, Receive, Scope, admit, come_in, say_hello
from chat.websocket.hub import Hub
from chat.websocket.leaving import stay
from chat.websocket.limits import (
    count_read,
    count_write,
    flow_of,
    note_flood,
    place_of_address,
    place_of_person,
    refuse_flooder,
    takes,
)
from chat.websocket.replay import resume
from chat.websocket.sends import OVERLAP, Sends
from chat.websocket.signin import SignedIn, chosen_subprotocol, sign_in
from chat.websocket.socket import Send, Socket

logger = logging.getLogger("chat.websocket.consumer")

NO_AUTH_IN_TIME = 4408
# Frames of one socket that are served before it is the others' turn.
TURN = 16


async def all_rooms(scope: Scope, receive: Receive, send: Send) -> None:
    """``/ws/``: hears all of the person's rooms and their own log."""
    await _serve(scope, receive, send, _every_room)


async def one_room(scope: Scope, receive: Receive, send: Send) -> None:
    """``/ws/rooms/{id}/``: hears one room."""
    await _serve(scope, receive, send, _room_in_path)


async def direct_room(scope: Scope, receive: Receive, send: Send) -> None:
    """``/ws/direct/{user_id}/``: hears the direct room with a person; opening makes it."""
    await _serve(scope, receive, send, _direct_in_path)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Any other path: said to be none."""
    await _serve(scope, receive, send, _no_such_path)


def _every_room(scope: Scope, who: SignedIn) -> None:
    return None


def _room_in_path(scope: Scope, who: SignedIn) -> str:
    room_id: UUID = scope["url_route"]["kwargs"]["room_id"]
    return str(membership_of(who.viewer, room_id).room_id)


def _direct_in_path(scope: Scope, who: SignedIn) -> str:
    user_id: UUID = scope["url_route"]["kwargs"]["user_id"]
    count_direct(who.viewer, user_id)
    return str(open_direct(who.viewer, user_id)[0].pk)


def _no_such_path(scope: Scope, who: SignedIn) -> None:
    raise NotFound("There is no such socket.")


async def _serve(scope: Scope, receive: Receive, send: Send, choose: Choose) -> None:
    await receive()
    # Accepted before anything is known: a refused handshake tells a browser nothing, a frame does.
    await send({"type": "websocket.accept", "subprotocol": chosen_subprotocol(scope)})
    hub = socket = None
    try:
        async with AsyncExitStack() as places:
            await places.enter_async_context(place_of_address(scope))
            (who, only), ref = await admit(scope, receive, choose)
            await places.enter_async_context(place_of_person(who.viewer))
            await refuse_flooder(who.viewer)
            hub = await running_hub()
            socket = await come_in(hub, scope, send, who, only)
            stay(scope, hub, socket)
            say_hello(hub, socket)
            if ref:
                socket.answer({"type": "done", **ref, "result": {}})
            await _converse(hub, socket, receive, scope)
    except ConnectionError:
        pass
    except TimeoutError:
        await _turn_away(send, Unauthenticated("No sign-in came in time."), NO_AUTH_IN_TIME)
    except ChatError as refusal:
        log_refusal(refusal, operation="socket:open", address=network_in(scope))
        await _turn_away(send, refusal)
    except asyncio.CancelledError:
        # Cancelled by ourselves, because a close frame found no room in the peer's buffer; or by the server.
        metrics.closed(1006)
        if socket is None or not socket.closing:
            raise
    finally:
        if hub is not None and socket is not None:
            socket.closing = True
            hub.drop(socket)


async def _turn_away(send: Send, refusal: ChatError, code: int | None = None) -> None:
    code = code or CLOSE_CODES.get(refusal.code, 1011)
    metrics.closed(code)
    await send({"type": "websocket.send", "text": encode(failed(refusal))})
    await send({"type": "websocket.close", "code": code})


async def _converse(hub: Hub, socket: Socket, receive: Receive, scope: Scope) -> None:
    sends = Sends(hub, socket)
    flow = flow_of(scope)
    for number in count():
        if number % TURN == 0:
            # What a client sent at once is here at once: it would all be served before anybody else.
            await asyncio.sleep(0)
        message = await receive()
        if message["type"] == "websocket.disconnect":
            metrics.closed(message.get("code") or 1005)
            note_flood(flow, socket)
            return
        if socket.leaving:
            # What is not begun is not answered: whoever sent it sends it again, elsewhere.
            continue
        if not takes(flow, socket, message):
            await socket.flushed()
            # What came at once is refused between what the others want.
            await asyncio.sleep(0)
            continue
        if size_of(message) > chat_settings.FRAME_MAX:
            refuse(socket, TooLarge(f"A frame has at most {chat_settings.FRAME_MAX} bytes."))
            continue
        with socket.working():
            await _hear(hub, socket, sends, message, scope)
        # A client that sends without reading is answered only as fast as it reads.
        await socket.flushed()


async def _hear(
    hub: Hub, socket: Socket, sends: Sends, message: dict[str, Any], scope: Scope
) -> None:
    """Answer one frame, a send when it is stored. Whatever is wrong with it, or with us, is said; the socket lives."""
    ref: dict[str, Any] = {}
    name = room = None
    try:
        frame = parsed(message)
        ref = ref_of(frame)
        command = _command(socket, frame)
        name, room = command.name, frame.get("room")
        if command.name != "resume":
            socket.standings = None
        if command.name == "message.send":
            draft = Draft(socket.viewer, **validated(command, frame))
            await count_write(socket.viewer)
            await sends.at_most(OVERLAP - 1)
            sends.begin(draft, ref)
            return
        # Any other command finds what was sent before it; a ping asks after nothing of that.
        await sends.at_most(OVERLAP if command.name == "ping" else 0)
        began = time.monotonic()
        result = await _obey(hub, socket, command, frame, scope)
        metrics.acked(time.monotonic() - began)
    except ChatError as refusal:
        log_failed(refusal, socket, name, room)
        socket.answer(failed(refusal, ref))
    except Exception as error:
        # Its message may quote what a person wrote, so only its kind and place are logged.
        logger.error("a frame failed: %s", _kind_and_place(error))
        socket.answer(failed(Unavailable("Something went wrong here."), ref))
    else:
        socket.answer({"type": "done", **ref, "result": result})


def _kind_and_place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}"


def _command(socket: Socket, frame: dict[str, Any]) -> Command:
    command = COMMANDS.get(frame["type"])
    if command is None:
        raise Invalid("There is no such command.")
    if command.name == "auth" or not socket.only:
        return command
    if frame.setdefault("room", socket.only) != socket.only:
        raise Forbidden("This socket is for one room.")
    return command


async def _obey(
    hub: Hub, socket: Socket, command: Command, frame: dict[str, Any], scope: Scope
) -> dict[str, Any]:
    if command.name == "auth":
        return await _renew(socket, scope, validated(command, frame)["token"])
    if command.name == "ping":
        return {}
    if command.name == "resume":
        wanted = validated(command, frame)
        await count_read(socket.viewer)
        cursors = {str(room): seq for room, seq in wanted["cursors"].items()}
        return {"rooms": await resume(hub, socket, wanted["epoch"], cursors)}
    await count_write(socket.viewer)
    return await cross(run, command, socket.viewer, frame)


async def _renew(socket: Socket, scope: Scope, token: str) -> dict[str, Any]:
    """Keep the socket beyond its token's end by a fresh one of the same person."""
    who = await cross(sign_in, scope, token)
    if who.viewer.pk != socket.viewer.pk:
        refuse(socket, Forbidden("This token is another person's."))
    socket.signed_in(who.grounds, who.expires_at, who.credentials)
    return {}
