"""The checker is green for a good history, and each check turns red for a bug planted in it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.checker import CHECKS, check
from tests.faults.measures import SECOND, convergence, sum_up
from tests.faults.record import History, Record, Row, Window

ROOM = "r1"
TRUTH = [
    Row(1, "room.created", sender="ann"),
    Row(2, "message.sent", "a1", "ann", "ha1"),
    Row(3, "message.sent", "b1", "bob", "hb1"),
    Row(4, "member.removed", sender="ann"),
    Row(5, "message.sent", "a2", "ann", "ha2"),
]
WORDS = [row for row in TRUTH if row.id]


class Script:
    """Writes a history down second by second."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.calls = 0

    def at(self, second: float, client: str, type: str, op: str, **what: Any) -> Record:
        conn = {"ann": 1, "bob": 2, "cat": 3}[client]
        one = Record(int(second * SECOND), client, conn, "here", type, op, room=ROOM, **what)
        self.records.append(one)
        return one

    def call(self, begins: float, ends: float, client: str, op: str, **what: Any) -> Record:
        self.calls += 1
        asked = {key: value for key, value in what.items() if key in {"id", "hash", "sender"}}
        self.at(begins, client, "invoke", op, call=self.calls, **asked)
        return self.at(ends, client, "ok", op, call=self.calls, **what)

    def send(self, begins: float, ends: float, row: Row) -> None:
        fields = {"seq": row.seq, "id": row.id, "hash": row.hash, "sender": row.sender}
        self.call(begins, ends, row.sender, "send", **fields, more={"told": [row.id, row.hash]})

    def hear(self, second: float, client: str, row: Row, via: str = "live") -> None:
        fields = {"seq": row.seq, "id": row.id, "hash": row.hash, "sender": row.sender}
        self.at(second, client, "event", "recv", via=via, **fields)
        self.at(second, client, "event", "apply", seq=row.seq)

    def read(self, begins: float, ends: float, client: str, rows: list[Row], head: int) -> None:
        more = {"rows": [list(row) for row in rows], "has_before": False}
        self.call(begins, ends, client, "history", seq=head, more=more)


def good() -> History:
    """Ann and bob talk, cat is removed, bob comes back and resumes, everyone has everything."""
    script = Script()
    for client in ("ann", "bob", "cat"):
        script.hear(0, client, TRUTH[0])
    script.send(1, 2, TRUTH[1])
    script.send(2, 3, TRUTH[1])
    script.send(3, 4, TRUTH[2])
    script.read(4.5, 4.6, "ann", WORDS[:2], 3)
    for client in ("ann", "cat"):
        script.hear(5, client, TRUTH[1])
        script.hear(5, client, TRUTH[2])
    script.call(5, 6, "ann", "kick", more={"user": "cat"})
    script.send(7, 8, TRUTH[4])
    script.hear(8, "ann", TRUTH[3])
    script.hear(8, "ann", TRUTH[4])
    script.at(9, "bob", "invoke", "resume", call=900, more={"cursors": {ROOM: 1}})
    for row in TRUTH[1:]:
        script.hear(9, "bob", row, "resume")
    script.at(9, "bob", "event", "resumed", seq=5)
    script.read(9.5, 9.6, "bob", WORDS, 5)
    reads = {("log here", ROOM): list(TRUTH), ("history there", ROOM): list(WORDS)}
    window = Window("F0", 4 * SECOND, 6 * SECOND)
    members = {ROOM: {"ann", "bob", "cat"}}
    return History(
        script.records, {ROOM: list(TRUTH)}, reads, [window], members, {ROOM: {"ann", "bob"}}
    )


def the(history: History, op: str, type: str = "", *, at: int = 0, client: str = "") -> Record:
    """One of the records of an operation."""
    found = [
        one
        for one in history.records
        if one.op == op and type in {"", one.type} and client in {"", one.client}
    ]
    return found[at]


def lost(history: History) -> None:
    history.truth[ROOM][4] = Row(5, "message.sent", "a3", "ann", "ha3")


def acknowledged_elsewhere(history: History) -> None:
    for one in history.records:
        if one.op == "send" and one.type == "ok" and one.id == "b1":
            one.seq = 7


def answered_twice(history: History) -> None:
    first = history.records[0]
    history.records.append(
        Record(9 * SECOND, first.client, first.conn, first.proc, "event", "again")
    )


def stored_twice(history: History) -> None:
    history.truth[ROOM].append(Row(6, "message.sent", "a9", "ann", "ha1"))


def shown_twice(history: History) -> None:
    history.records.append(deepcopy(the(history, "apply", at=-1)))


def a_repeat_with_another_seq(history: History) -> None:
    the(history, "send", "ok", at=1).seq = 6


def order_of_ids(history: History) -> None:
    """What was acknowledged first stands second."""
    rows = history.truth[ROOM]
    rows[1], rows[2] = rows[2]._replace(seq=2), rows[1]._replace(seq=3)
    places = {row.id: row.seq for row in rows}
    for one in history.records:
        if one.op == "send" and one.type == "ok":
            one.seq = places[one.id]


def a_hole(history: History) -> None:
    history.truth[ROOM][4] = history.truth[ROOM][4]._replace(seq=6)


def another_log_elsewhere(history: History) -> None:
    history.reads["log here", ROOM][1] = TRUTH[1]._replace(hash="other")


def a_history_by_id(history: History) -> None:
    rows = history.reads["history there", ROOM]
    rows[0], rows[1] = rows[1], rows[0]


def a_history_that_lacks_one(history: History) -> None:
    history.reads["history there", ROOM].pop()


def pushed_otherwise(history: History) -> None:
    the(history, "recv", at=-1).hash = "other"


def going_back(history: History) -> None:
    applied = [one for one in history.records if one.op == "apply" and one.client == "ann"]
    applied[1].seq, applied[2].seq = applied[2].seq, applied[1].seq


def never_sent(history: History) -> None:
    history.truth[ROOM].append(Row(6, "message.sent", "x1", "bob", "hx1"))


def no_answer_taken_for_no(history: History) -> None:
    """A client that swallows a 5xx says that what is there was refused."""
    for one in history.records:
        if one.op == "send" and one.id == "b1" and one.type == "ok":
            one.type = "fail"


def a_stale_read(history: History) -> None:
    answer = the(history, "history", "ok", at=-1)
    answer.more["rows"] = answer.more["rows"][:-1]


def a_read_that_goes_back(history: History) -> None:
    script = Script()
    script.calls = 500
    script.read(10, 11, "bob", WORDS, 4)
    history.records += script.records


def resumed_from_the_cursor(history: History) -> None:
    """``>=`` instead of ``>``: what the cursor has comes again."""
    first = the(history, "recv", client="bob", at=1)
    again = replace(first, seq=1, id="", hash="", sender="ann")
    history.records.insert(history.records.index(first), again)


def resumed_in_part(history: History) -> None:
    first = the(history, "recv", client="bob", at=1)
    history.records.remove(first)


def reset_for_no_reason(history: History) -> None:
    one = the(history, "resumed")
    one.op, one.more = "reset", {"reason": "tired"}


def never_repaired(history: History) -> None:
    """The push after a FLUSHALL is lost, and no head tells of it."""
    history.records = [
        one
        for one in history.records
        if not (one.client == "bob" and one.seq == 5 and one.t == 9 * SECOND)
    ]


def repaired_late(history: History) -> None:
    for one in history.records:
        if one.client == "bob" and one.op == "apply" and one.seq == 5:
            one.t += 20 * SECOND


def still_told(history: History) -> None:
    script = Script()
    script.hear(12, "cat", TRUTH[4])
    history.records += script.records


def still_let_in(history: History) -> None:
    script = Script()
    script.calls = 600
    script.read(7, 8, "cat", WORDS[:2], 4)
    history.records += script.records


def told_though_outside(history: History) -> None:
    history.members[ROOM].discard("cat")


def without_effect(history: History) -> None:
    history.windows = [replace(history.windows[0], effective=False)]


def hardly_answered(history: History) -> None:
    script = Script()
    for number in range(9):
        for type in ("invoke", "info"):
            script.at(20, "bob", type, "send", call=700 + number, id=f"z{number}", sender="bob")
    history.records += script.records


def answered_before_asked(history: History) -> None:
    the(history, "send", "ok", at=2).t = SECOND


BUGS: dict[str, list[Callable[[History], None]]] = {
    "C1": [lost, acknowledged_elsewhere],
    "C2": [stored_twice, shown_twice, answered_twice, a_repeat_with_another_seq],
    "C3": [order_of_ids],
    "C4": [
        a_hole,
        another_log_elsewhere,
        a_history_by_id,
        a_history_that_lacks_one,
        pushed_otherwise,
        going_back,
    ],
    "C5": [never_sent, no_answer_taken_for_no],
    "C6": [a_stale_read],
    "C7": [a_read_that_goes_back],
    "C8": [resumed_from_the_cursor, resumed_in_part, reset_for_no_reason],
    "C9": [never_repaired, repaired_late],
    "C10": [still_told, still_let_in, told_though_outside],
    "C11": [without_effect, hardly_answered],
    "C12": [answered_before_asked],
}


def test_a_good_history_is_green() -> None:
    assert check(good()) == {}


def test_every_check_has_a_planted_bug() -> None:
    assert list(BUGS) == list(CHECKS)


@pytest.mark.parametrize(
    ("name", "plant"), [(name, plant) for name, plants in BUGS.items() for plant in plants]
)
def test_a_planted_bug_turns_its_check_red(name: str, plant: Callable[[History], None]) -> None:
    history = good()
    plant(history)
    assert CHECKS[name](history)


def test_a_run_in_numbers() -> None:
    found = sum_up(good())
    assert (found.acked, found.stored, found.not_stored) == (3, 0, 0)
    assert convergence(good()) == {("ann", ROOM): 0, ("bob", ROOM): 1}
    assert found.longest == 1


def test_what_found_no_answer_is_counted_apart() -> None:
    history = good()
    for one in history.records:
        if one.id == "b1" and one.type == "ok":
            one.type = "info"
    hardly_answered(history)
    found = sum_up(history)
    assert (found.acked, found.stored, found.not_stored) == (2, 1, 9)


def test_a_removal_without_redis_may_take_longer() -> None:
    history = good()
    still_told(history)
    dark = Window("F2", 4 * SECOND, 7 * SECOND, redis_down=True)
    assert not CHECKS["C10"](replace(history, windows=[dark]))
