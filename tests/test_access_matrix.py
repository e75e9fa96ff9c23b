"""Everyone tries everything at every door, and is answered as the table says; what was refused changed nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from rest_framework.test import APIClient

from chat import errors
from chat.commands import COMMANDS
from chat.testing import sockets
from chat.testing.sockets import SCHEME, Exchange, _connected, _left
from chat.websocket.asyncapi import CHANNELS
from chat.websocket.frames import CLOSE_CODES
from tests import access_table as table
from tests.access_scene import Scene, build, stored
from tests.access_table import PLACES, Row
from tests.documents import REST, check_answer
from tests.scene import undone

STATUS = {
    kind.code: kind.status
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ChatError)
}


def filled(text: Any, names: dict[str, str]) -> Any:
    """Put names in the place of what stands in braces."""
    raw = json.dumps(text)
    for name, value in names.items():
        raw = raw.replace(f"{{{name}}}", value)
    return json.loads(raw)


def operation(row: Row) -> str:
    """The operation of the document that a row is of; people, messages and devices go by one name there."""
    method, _, path = row.operation.partition(" ")
    path = path.partition("?")[0]
    for place, names in {
        "message": ("own",),
        "device": ("others_device",),
        "user": ("other", "deputy", "owner", "banned", "me"),
    }.items():
        for name in names:
            path = path.replace(f"{{{name}}}", f"{{{place}}}")
    return f"{method} {path}"


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    told = {
        f"{method.upper()} {path}" for path, methods in REST["paths"].items() for method in methods
    }
    assert {operation(row) for row in table.REST} == told


def test_every_command_and_every_socket_has_a_row() -> None:
    assert {row.operation for row in table.COMMANDS} == set(COMMANDS)
    opened = {filled(row.operation, {"newcomer": "{user_id}"}) for row in table.SOCKETS}
    assert {path.replace("{room}", "{room_id}") for path in opened} == {
        address for address, *_ in CHANNELS.values()
    }


def test_every_row_is_of_somewhere() -> None:
    """A row of a room says what happens in each kind of room."""
    for row in (*table.REST, *table.COMMANDS, *table.SOCKETS):
        places = {place for place in PLACES if getattr(row, place)}
        assert places in ({"anywhere"}, {"public", "private", "direct"}), row.operation


CASES = [(row, place) for row in table.REST for place in PLACES if getattr(row, place)]


def named(value: Any) -> str:
    if not isinstance(value, Row):
        return str(value)
    return f"{value.operation} {json.dumps(value.body)}" if value.body else value.operation


@pytest.mark.django_db
@pytest.mark.once
@pytest.mark.parametrize(("row", "place"), CASES, ids=named)
def test_over_rest(house: tuple[Scene, Any], row: Row, place: str) -> None:
    scene, before = house
    wrong = {}
    for role, expected in row.cells(place).items():
        with undone():
            answer = ask(scene, row, role, place)
            if answer.status_code != expected:
                wrong[role] = f"{answer.status_code}, not {expected}: {answer.content[:200]!r}"
            elif expected >= 400 and stored() != before:
                wrong[role] = "refused, and yet something changed"
    assert not wrong


def ask(scene: Scene, row: Row, role: str, place: str) -> Any:
    """Let someone try a row, and hold what is answered to the document."""
    client = APIClient()
    if role in scene.people:
        client.force_authenticate(scene.people[role].user)
    names = scene.names(role, place)
    method, path = filled(row.operation, names).split(" ")
    answer = client.generic(
        method, path, json.dumps(filled(row.body, names)) if row.body else "", "application/json"
    )
    check_answer(method, answer)
    assert (answer.status_code < 400) or set(answer.json()) >= {"code", "detail"}
    return answer


# The sockets: real ones of this process, over rows that are really committed.


@pytest.fixture
def exchange(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    opened = Exchange(monkeypatch)
    try:
        yield opened
    finally:
        opened.close()


class Wires:
    """Sockets of everyone, opened as they are needed."""

    def __init__(self, exchange: Exchange, scene: Scene) -> None:
        self.run = exchange._run
        self.scene = scene
        self.open: dict[str, ApplicationCommunicator] = {}

    def connect(self, role: str, path: str = "/ws/") -> ApplicationCommunicator:
        person = self.scene.people.get(role)
        headers = [(b"authorization", f"{SCHEME} {person.user_id}".encode())] if person else []
        wire: ApplicationCommunicator = self.run(_connected(path, headers, ["chat.v1"]))
        return wire

    def hear(self, wire: ApplicationCommunicator, *types: str) -> dict[str, Any]:
        while True:
            sent = self.run(wire.receive_output(sockets.WITHIN))
            frame: dict[str, Any] = orjson.loads(sent["text"])
            if frame["type"] in types:
                return frame

    def ask(self, role: str, command: str, fields: Any) -> int:
        """Say a command and return what it came to."""
        if role not in self.scene.people:
            return self.first_frame(command, fields)
        if role not in self.open:
            self.open[role] = self.connect(role)
            self.hear(self.open[role], "hello")
        self.send(self.open[role], command, fields)
        return status(self.hear(self.open[role], "done", "failed"))

    def first_frame(self, command: str, fields: Any) -> int:
        """Say a command without having signed in: which ends the socket."""
        wire = self.connect("nobody")
        self.send(wire, command, fields)
        told = status(self.hear(wire, "done", "failed"))
        assert (
            self.run(wire.receive_output(sockets.WITHIN))["code"]
            == CLOSE_CODES[errors.Unauthenticated.code]
        )
        self.run(_left(wire))
        return told

    def send(self, wire: ApplicationCommunicator, command: str, fields: Any) -> None:
        text = orjson.dumps({"type": command, **fields}).decode()
        self.run(wire.send_input({"type": "websocket.receive", "text": text}))

    def close(self) -> None:
        for wire in self.open.values():
            self.run(_left(wire))


def status(frame: dict[str, Any]) -> int:
    return STATUS[frame["error"]["code"]] if frame["type"] == "failed" else 200


@pytest.fixture
def wires(exchange: Exchange) -> Iterator[Wires]:
    opened = Wires(exchange, build())
    yield opened
    opened.close()


def test_over_a_socket(wires: Wires) -> None:
    """Each role says each command, about messages that nobody has touched yet."""
    scene, wrong = wires.scene, []
    for row in table.COMMANDS:
        for place in (place for place in PLACES if getattr(row, place)):
            for role, expected in row.cells(place).items():
                if "{message}" in str(row.body) or "{own}" in str(row.body):
                    scene.renew(role if role in scene.people else "stranger", place)
                before = stored()
                told = wires.ask(role, row.operation, filled(row.body, scene.names(role, place)))
                if told != expected:
                    wrong.append(f"{row.operation} {row.body} {place} {role}: {told}")
                elif expected >= 400 and stored() != before:
                    wrong.append(f"{row.operation} {place} {role}: refused, and yet it changed")
    assert not wrong


def test_opening_a_socket(wires: Wires) -> None:
    scene, wrong = wires.scene, []
    for row in table.SOCKETS:
        for place in (place for place in PLACES if getattr(row, place)):
            for role, expected in row.cells(place).items():
                wire = wires.connect(role, filled(row.operation, scene.names(role, place)))
                if role not in scene.people:
                    wires.send(wire, "ping", {})
                told = status(wires.hear(wire, "hello", "failed"))
                wires.run(_left(wire))
                if told != expected:
                    wrong.append(f"{row.operation} {place} {role}: {told}")
    assert not wrong
