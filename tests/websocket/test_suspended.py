"""A suspended person at each command, on a socket that was open before, and at each path of a socket."""

from __future__ import annotations

from chat.actions.moderation import lift_suspension, suspend
from tests import access_table as table
from tests.access_table import PLACES
from tests.test_access_matrix import Wires, exchange, filled, wires  # noqa: F401  (fixtures)

# Keeping the socket, reading, and one's own cursors.
ALLOWED = {"ping", "auth", "resume", "room.read", "room.unread"}


def test_each_command_is_refused_or_allowed_by_name(wires: Wires) -> None:  # noqa: F811
    scene, wrong = wires.scene, []
    staff = scene.people["staff"]
    for role in ("member", "owner"):
        wires.ask(role, "ping", {})
        suspend(staff, scene.people[role], "Threats.")
    for row in table.COMMANDS:
        for place in (place for place in PLACES if getattr(row, place)):
            role = "member" if place == "direct" else "owner"
            expected = row.cells(place)[role]
            wires.send(wires.open[role], row.operation, filled(row.body, scene.names(role, place)))
            answer = wires.hear(wires.open[role], "done", "failed")
            reason = answer.get("error", {}).get("reason")
            if row.operation in ALLOWED:
                fits = (answer["type"] == "done") == (expected == 200) and reason is None
            else:
                fits = reason == "suspended"
            if not fits:
                wrong.append(f"{row.operation} {place}: {answer}")
    assert not wrong
    assert {row.operation for row in table.COMMANDS} > ALLOWED


def test_sockets_open_but_no_new_room_is_made_by_it(wires: Wires) -> None:  # noqa: F811
    scene = wires.scene
    owner, staff = scene.people["owner"], scene.people["staff"]
    suspend(staff, owner, "Threats.")
    names = scene.names("owner", "direct")
    for path, reason in {
        "/ws/": None,
        "/ws/rooms/{room}/": None,
        f"/ws/direct/{scene.people['member'].pk}/": None,
        "/ws/direct/{newcomer}/": "suspended",
    }.items():
        wire = wires.connect("owner", filled(path, names))
        told = wires.hear(wire, "hello", "failed")
        assert told.get("error", {}).get("reason") == reason
    lift_suspension(staff, owner, "Enough.")
    wire = wires.connect("owner", filled("/ws/direct/{newcomer}/", names))
    assert wires.hear(wire, "hello", "failed")["type"] == "hello"
