"""The two catalogues are the protocol: each entry has a shape and a row in the documentation, and no row is idle."""

from __future__ import annotations

import re
from pathlib import Path

from rest_framework.serializers import BaseSerializer

from chat.commands import COMMANDS
from chat.events import EVENTS

ROOT = Path(__file__).resolve().parent.parent
PROTOCOL = ROOT / "docs" / "protocol.md"
NAME = re.compile(r"^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)?$")
ROW = re.compile(r"^\| `([^`]+)` \|")


def rows(table: str) -> list[str]:
    """The names in the tables whose first heading is ``table``: rows that begin "| `name` |"."""
    found: list[str] = []
    inside = False
    for line in PROTOCOL.read_text().splitlines():
        if not line.startswith("|"):
            inside = False
        elif re.match(rf"\| *{table} *\|", line, re.IGNORECASE):
            inside = True
        elif inside and (row := ROW.match(line)):
            found.append(row[1])
    return found


def test_every_command_has_a_name_a_shape_and_a_line() -> None:
    for name, command in COMMANDS.items():
        assert NAME.match(name)
        assert command.name == name
        assert issubclass(command.shape, BaseSerializer)
        assert command.says.endswith(".")


def test_every_event_has_a_name_a_shape_and_a_line() -> None:
    for name, event in EVENTS.items():
        assert NAME.match(name)
        assert event.name == name
        assert event.log in ("room", "own", None)
        assert issubclass(event.payload, BaseSerializer)
        assert event.says.endswith(".")


def test_the_documentation_lists_the_commands_and_no_others() -> None:
    assert sorted(rows("command")) == sorted(COMMANDS)


def test_the_documentation_lists_the_events_and_no_others() -> None:
    assert sorted(rows("event")) == sorted(EVENTS)


def test_every_event_goes_out_somewhere() -> None:
    """A name in the catalogue that no code says is a promise that nobody keeps."""
    code = "".join(
        path.read_text()
        for room in ("actions", "websocket", "outlets")
        for path in (ROOT / "chat" / room).rglob("*.py")
    )
    assert [name for name in EVENTS if f'"{name}"' not in code] == []
