"""Judges what clients saw against what the service promises: pure functions, each names what is wrong."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.faults.measures import SECOND, acknowledged, convergence, messages, of
from tests.faults.record import History, Record, Row

# What the guarantees allow, in seconds.
CONVERGES_WITHIN = 15
REMOVED_WITHIN = 5
REMOVED_WITHIN_WITHOUT_REDIS = 30
# Reasons for which a resume may be answered with a reset.
RESET_REASONS = {"epoch", "ahead", "too_far", "pruned"}
# Of what is sent outside of faults, the share that must be acknowledged for a run to say anything.
ANSWERED = 0.8

Violations = list[str]


def no_lost_ack(history: History) -> Violations:
    """C1: what was acknowledged is there at the end, with the seq and words that were acknowledged."""
    stored = {room: {row.id: row for row in messages(rows)} for room, rows in history.truth.items()}
    wrong = []
    for one in acknowledged(history).values():
        row = stored[one.room].get(one.id)
        if row is None:
            wrong.append(f"{one.id} of {one.client} was acknowledged as {one.seq} and is lost")
        elif (row.seq, row.hash) != (one.seq, one.hash):
            wrong.append(f"{one.id} was acknowledged as {one.seq}, and stands at {row.seq}")
    return wrong


def no_duplicate(history: History) -> Violations:
    """C2: nothing is stored twice, shown twice, answered twice, or acknowledged in two ways."""
    wrong = [f"{one.client} was answered twice on {one.conn}" for one in of(history, "again")]
    for room, rows in history.truth.items():
        for kind in ("id", "hash"):
            seen: set[str] = set()
            for row in messages(rows):
                if (mark := getattr(row, kind)) in seen:
                    wrong.append(f"two rows in {room} with the {kind} {mark}")
                seen.add(mark)
    shown: set[tuple[str, str, int]] = set()
    for one in of(history, "apply"):
        if (place := (one.client, one.room, one.seq)) in shown:
            wrong.append(f"{one.client} showed {one.room}/{one.seq} twice")
        shown.add(place)
    first = acknowledged(history)
    wrong += [
        f"{one.id} was acknowledged as {first[one.id].seq} and as {one.seq}"
        for one in of(history, "send", "ok")
        if (one.seq, one.more["told"]) != (first[one.id].seq, [one.id, one.hash])
    ]
    return wrong


def real_time_order(history: History) -> Violations:
    """C3: what was acknowledged before something else was begun has the lower seq."""
    begun: dict[str, int] = {}
    for one in of(history, "send", "invoke"):
        begun.setdefault(one.id, one.t)
    rooms: dict[str, list[tuple[int, bool, int, str]]] = defaultdict(list)
    for one in acknowledged(history).values():
        rooms[one.room] += [(one.t, False, one.seq, one.id), (begun[one.id], True, one.seq, one.id)]
    wrong = []
    for moments in rooms.values():
        highest = 0
        for _, begins, seq, id in sorted(moments):
            if begins and seq <= highest:
                wrong.append(
                    f"{id} has {seq}, though {highest} was acknowledged before it was sent"
                )
            elif not begins:
                highest = max(highest, seq)
    return wrong


def one_log(history: History) -> Violations:
    """C4: everyone is shown the same event at the same place; places count 1, 2, 3 …, and only rise."""
    wrong = []
    truth = {(room, row.seq): row for room, rows in history.truth.items() for row in rows}
    for room, rows in history.truth.items():
        if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
            wrong.append(f"the log of {room} has holes or repeats")
    for (where, room), rows in history.reads.items():
        wrong += [
            f"{where} shows {row} in {room}" for row in rows if row != truth.get((room, row.seq))
        ]
        wrong += [
            f"{where} does not rise in {room}: {a.seq}, {b.seq}"
            for a, b in pairwise(rows)
            if a.seq >= b.seq
        ]
        missing = len(list(messages(history.truth[room]))) - len(list(messages(rows)))
        if missing:
            wrong.append(f"{where} lacks {missing} messages of {room}")
    wrong += _other_than_truth(history, truth)
    return wrong


def _other_than_truth(history: History, truth: dict[tuple[str, int], Row]) -> Violations:
    wrong = []
    for one in of(history, "recv"):
        if one.room in history.truth:
            row = truth.get((one.room, one.seq))
            if row is None or (row.id, row.hash) != (one.id, one.hash):
                wrong.append(f"{one.client} was shown {one.id} at {one.room}/{one.seq}: {one.via}")
    for one in of(history, "history", "ok"):
        rows = [Row(*row) for row in one.more["rows"]]
        wrong += [
            f"{one.client} read {row.id} at {one.room}/{row.seq}"
            for row in rows
            if row != truth.get((one.room, row.seq))
        ]
        if any(a.seq >= b.seq for a, b in pairwise(rows)):
            wrong.append(f"{one.client} read a history of {one.room} that does not rise")
    last: dict[tuple[str, str], int] = {}
    for one in of(history, "apply"):
        place = (one.client, one.room)
        if one.seq <= last.get(place, 0):
            wrong.append(f"{one.client} went back to {one.room}/{one.seq}")
        last[place] = one.seq
    return wrong


def no_phantom(history: History) -> Violations:
    """C5: what is seen was sent by whom it says; what was refused is never seen."""
    sent = {(one.client, one.id): one.hash for one in of(history, "send", "invoke")}
    open_or_done = {one.id for one in of(history, "send", "ok", "info")}
    refused = {one.id for one in of(history, "send", "fail")} - open_or_done
    wrong = []
    heard = (one for one in of(history, "recv") if one.id and one.room in history.truth)
    seen = {(one.sender, one.id, one.hash) for one in heard}
    for rows in history.truth.values():
        seen |= {(row.sender, row.id, row.hash) for row in messages(rows)}
    for sender, id, words in seen:
        if sent.get((sender, id)) != words:
            wrong.append(f"{id} is shown as of {sender}, who never sent it so")
        if id in refused:
            wrong.append(f"{id} of {sender} was refused, and is there")
    return wrong


def read_your_writes(history: History) -> Violations:
    """C6: a history that was asked for after an acknowledgement contains what was acknowledged."""
    rooms: dict[str, list[Record]] = defaultdict(list)
    for one in sorted(acknowledged(history).values(), key=lambda one: one.seq):
        rooms[one.room].append(one)
    wrong = []
    for asked, answer in _calls(history, "history"):
        ids = {row[2] for row in answer.more["rows"]}
        lowest = answer.more["rows"][0][0] if answer.more["rows"] else 0
        known = rooms[answer.room]
        first = bisect_left(known, lowest, key=lambda one: one.seq)
        begin = first if answer.more["has_before"] else 0
        wrong += [
            f"{answer.client} read {answer.room} at {answer.proc} without {one.id}, acknowledged before"
            for one in known[begin:]
            if one.t < asked.t and one.id not in ids
        ]
    return wrong


def _calls(history: History, op: str) -> Iterator[tuple[Record, Record]]:
    """Calls that were answered, with their answers, in the order of the answers."""
    asked = {one.call: one for one in of(history, op, "invoke")}
    return ((asked[one.call], one) for one in of(history, op, "ok"))


def monotonic_reads(history: History) -> Violations:
    """C7: for one client a room never goes back, whatever process it reads from."""
    highest: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    wrong = []
    for asked, answer in _calls(history, "history"):
        seen = highest[answer.client, answer.room]
        before = max((head for t, head in seen if t < asked.t), default=0)
        if answer.seq < before:
            wrong.append(f"{answer.client} read {answer.room} to {before}, later to {answer.seq}")
        seen.append((answer.t, answer.seq))
    return wrong


def resume_exactness(history: History) -> Violations:
    """C8: between a resume and its ``resumed`` comes what the cursor lacked, all of it and nothing else."""
    wrong = []
    for conn, records in _by_connection(history).items():
        cursors: dict[str, int] = {}
        heard: dict[str, list[int]] = defaultdict(list)
        for one in records:
            if one.op == "resume" and one.type == "invoke":
                cursors, heard = dict(one.more["cursors"]), defaultdict(list)
            elif one.op == "recv" and one.via != "log":
                heard[one.room].append(one.seq)
            elif one.op == "resumed" and one.room in cursors:
                cursor = cursors.pop(one.room)
                if not _exact(heard[one.room], cursor, one.seq):
                    got = f"{heard[one.room][:3]}…{heard[one.room][-3:]}"
                    wrong.append(
                        f"connection {conn}: from {cursor} to {one.seq} of {one.room} came {got}"
                    )
            elif one.op == "reset" and one.more["reason"] not in RESET_REASONS:
                wrong.append(f"connection {conn}: a reset for {one.more['reason']}")
    return wrong


def _by_connection(history: History) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = defaultdict(list)
    for one in history.records:
        if one.op in {"resume", "recv", "resumed", "reset"}:
            found[one.conn].append(one)
    return found


def _exact(seqs: list[int], cursor: int, head: int) -> bool:
    """What came live before the replay began may stand in front of it; nothing that the cursor had may."""
    missing = list(range(cursor + 1, head + 1))
    return seqs[len(seqs) - len(missing) :] == missing and all(seq > cursor for seq in seqs)


def bounded_convergence(history: History) -> Violations:
    """C9: everyone comes to the head of their rooms, soon after the fault, by themselves."""
    wrong = []
    for (client, room), seconds in convergence(history).items():
        if seconds is None:
            wrong.append(f"{client} never came to the head of {room}")
        elif seconds > CONVERGES_WITHIN:
            wrong.append(f"{client} came to the head of {room} after {seconds:.1f} s")
    return wrong


def authority(history: History) -> Violations:
    """C10: who was removed is shown and let do nothing more, and nobody is shown a room that is not theirs."""
    wrong = []
    removed = {(one.more["user"], one.room): one.t for one in of(history, "kick", "ok")}
    asked = {one.call: one.t for one in history.records if one.type == "invoke"}
    for one in history.records:
        if one.room not in history.truth or one.op not in {"recv", "send", "history"}:
            continue
        since = removed.get((one.client, one.room))
        if one.client not in history.members.get(one.room, set()):
            wrong.append(f"{one.client} was never in {one.room}: {one.op}")
        elif since is None:
            continue
        elif one.op == "recv" and one.t > since + _grace(history, since) * SECOND:
            wrong.append(f"{one.client} was shown {one.room}/{one.seq} after being removed")
        elif one.type == "ok" and asked.get(one.call, 0) > since:
            wrong.append(f"{one.client} was let do {one.op} after being removed")
    return wrong


def _grace(history: History, at: int) -> int:
    dark = any(w.redis_down and w.began <= at <= w.ended for w in history.windows)
    return REMOVED_WITHIN_WITHOUT_REDIS if dark else REMOVED_WITHIN


def worth_something(history: History) -> Violations:
    """C11: the run says something: the faults had an effect, and outside of them things were acknowledged."""
    wrong = [f"{one.name} had no effect" for one in history.windows if not one.effective]
    outside = [
        one
        for one in of(history, "send", "ok", "fail", "info")
        if not any(w.began <= one.t <= w.ended + 5 * SECOND for w in history.windows)
    ]
    answered = sum(one.type == "ok" for one in outside)
    if not acknowledged(history) or answered < ANSWERED * len(outside):
        wrong.append(f"only {answered} of {len(outside)} sends outside of faults were acknowledged")
    return wrong


def whole_times(history: History) -> Violations:
    """C12: times can be told of everything: no answer comes before its question."""
    asked = {one.call: one.t for one in of(history, "send", "invoke")}
    answers = of(history, "send", "ok", "fail", "info")
    return [
        f"{one.id} was answered before it was asked" for one in answers if one.t < asked[one.call]
    ]


CHECKS: dict[str, Callable[[History], Violations]] = {
    "C1": no_lost_ack,
    "C2": no_duplicate,
    "C3": real_time_order,
    "C4": one_log,
    "C5": no_phantom,
    "C6": read_your_writes,
    "C7": monotonic_reads,
    "C8": resume_exactness,
    "C9": bounded_convergence,
    "C10": authority,
    "C11": worth_something,
    "C12": whole_times,
}


def check(history: History) -> dict[str, Violations]:
    """Return what is wrong, by check; nothing when all is well."""
    found = {name: judge(history) for name, judge in CHECKS.items()}
    return {name: wrong for name, wrong in found.items() if wrong}
