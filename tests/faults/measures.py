"""What can be counted and timed in what clients saw; judges nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults.record import History, Record, Row

SECOND = 1_000_000_000


def of(history: History, op: str, *types: str) -> Iterator[Record]:
    return (one for one in history.records if one.op == op and (not types or one.type in types))


def acknowledged(history: History) -> dict[str, Record]:
    """The first acknowledgement of each message, by its id."""
    first: dict[str, Record] = {}
    for one in of(history, "send", "ok"):
        first.setdefault(one.id, one)
    return first


def messages(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row.type == "message.sent")


def convergence(history: History) -> dict[tuple[str, str], float | None]:
    """Seconds from the fault's end, or the last thing stored after it, to each client's having all."""
    healed = max((window.ended for window in history.windows), default=0)
    reached: dict[tuple[str, str], int] = {}
    heads = {room: len(rows) for room, rows in history.truth.items()}
    for one in of(history, "apply"):
        if one.seq == heads.get(one.room):
            reached[one.client, one.room] = one.t
    last: dict[str, int] = {}
    for one in acknowledged(history).values():
        last[one.room] = max(last.get(one.room, 0), one.t)
    found: dict[tuple[str, str], float | None] = {}
    for room, followers in history.followers.items():
        begin = max(healed, last.get(room, 0), history.stored.get(room, 0))
        for client in followers:
            at = reached.get((client, room))
            found[client, room] = None if at is None else max(0.0, (at - begin) / SECOND)
    return found


@dataclass(frozen=True)
class Sum:
    """A run in numbers: messages acknowledged; of those without an answer, stored and not stored."""

    acked: int
    stored: int
    not_stored: int
    longest: float | None


def sum_up(history: History) -> Sum:
    """Count a run. ``longest`` is the longest time to converge, in seconds; None where somebody never did."""
    answered = {one.id for one in of(history, "send", "ok", "fail")}
    unknown = {one.id for one in of(history, "send", "invoke")} - answered
    stored = {row.id for rows in history.truth.values() for row in messages(rows)}
    times = convergence(history).values()
    known = [seconds for seconds in times if seconds is not None]
    longest = max(known, default=0.0) if len(known) == len(times) else None
    return Sum(len(acknowledged(history)), len(unknown & stored), len(unknown - stored), longest)


def latencies(history: History, *, inside: bool) -> list[float]:
    """Seconds from the first asking to the first acknowledgement of messages, sorted; of one side of the windows."""
    begun = _begun(history)
    return sorted(
        (one.t - begun[one.id]) / SECOND
        for one in acknowledged(history).values()
        if _in_window(history, begun[one.id]) == inside
    )


def deliveries(history: History, *, inside: bool) -> list[float]:
    """Seconds from the first asking to each live event of a message, sorted; of one side of the windows."""
    begun = _begun(history)
    return sorted(
        (one.t - begun[one.id]) / SECOND
        for one in of(history, "recv")
        if one.via == "live" and one.id in begun and _in_window(history, begun[one.id]) == inside
    )


def _begun(history: History) -> dict[str, int]:
    begun: dict[str, int] = {}
    for one in of(history, "send", "invoke"):
        begun.setdefault(one.id, one.t)
    return begun


def told_times(history: History) -> str:
    """C12 in words: the median and the 99th percentile, during faults and outside of them."""
    parts = []
    for name, inside in (("during", True), ("outside", False)):
        for what, times in (
            ("ack", latencies(history, inside=inside)),
            ("shown", deliveries(history, inside=inside)),
        ):
            if times:
                middle, slow = (1000 * percentile(times, share) for share in (0.5, 0.99))
                parts.append(f"{what} {name} {middle:.0f}/{slow:.0f} ms")
    return ", ".join(parts)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of sorted values lies."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def first_ack_after(history: History, at: int) -> float | None:
    """Seconds from a time to the first acknowledgement of what was sent after it, or None."""
    asked = {one.call: one.t for one in of(history, "send", "invoke")}
    after = [one.t for one in of(history, "send", "ok") if asked[one.call] >= at]
    return (min(after) - at) / SECOND if after else None


def counted_wrong(found: dict[str, list[str]]) -> dict[str, int]:
    """The three numbers that matter most, from what the checks found."""
    by = Counter({name: len(wrong) for name, wrong in found.items()})
    return {
        "lost": by["C1"],
        "doubled": by["C2"],
        "out of order": by["C3"] + by["C4"] + by["C7"],
    }


def _in_window(history: History, at: int) -> bool:
    return any(window.began <= at <= window.ended for window in history.windows)
