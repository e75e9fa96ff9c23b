"""The verdict on a replayed day turns red for every planted fault, and the client's rule hides none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.data import OWN_DAY
from tests.live.following import Following
from tests.live.replay import (
    SOUND,
    Draft,
    Entry,
    Saying,
    Verdict,
    judge_copy,
    judge_log,
    judge_sayings,
    script,
    usernames,
)

LOG = [
    Entry(1, "room.created", "ann"),
    Entry(2, "member.joined", "bob"),
    Entry(3, "message.sent", "ann", "a1", "hello"),
    Entry(4, "message.sent", "bob", "b1", "hello ann", "a1"),
    Entry(5, "message.sent", "ann", "a2", "how are you?", "b1"),
    Entry(6, "member.joined", "cleo"),
    Entry(7, "message.sent", "ann", "a3", "bob?"),
]
SAYINGS = [
    Saying(Draft(number, str(entry.sender), str(entry.text), str(entry.id), entry.reply_to), entry)
    for number, entry in enumerate(entry for entry in LOG if entry.id)
]

Log = list[Entry]


def swapped(log: Log, one: int, other: int) -> Log:
    """Exchange the content of two places; their numbers stay."""
    log = list(log)
    log[one], log[other] = (
        log[other]._replace(seq=log[one].seq),
        log[one]._replace(seq=log[other].seq),
    )
    return log


def test_a_sound_room_is_sound() -> None:
    assert judge_log(LOG) == judge_copy(LOG, LOG) == judge_sayings(SAYINGS, LOG) == SOUND


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        (LOG[:3] + LOG[4:], Verdict(losses=1)),
        (LOG[1:], Verdict(losses=1)),
        ([*LOG, LOG[-1]], Verdict(doubles=2)),
        ([*LOG, LOG[4]._replace(seq=8)], Verdict(doubles=1)),
        ([*LOG[:2], LOG[3], LOG[2], *LOG[4:]], Verdict(disorder=1)),
        ([*LOG[:6], Entry(7, "hidden", None)], Verdict(forgeries=1)),
    ],
)
def test_a_log_with_a_fault_is_not_sound(log: Log, verdict: Verdict) -> None:
    assert judge_log(log) == verdict


@pytest.mark.parametrize(
    ("copy", "verdict"),
    [
        ([], Verdict(losses=7)),
        (LOG[:-1], Verdict(losses=1)),
        (LOG[:3] + LOG[4:], Verdict(losses=1)),
        ([*LOG[:4], *LOG[3:]], Verdict(doubles=1)),
        ([*LOG[:4], *LOG[2:]], Verdict(doubles=2, disorder=1)),
        ([*LOG[:2], LOG[3], LOG[2], *LOG[4:]], Verdict(disorder=1)),
        (swapped(LOG, 2, 3), Verdict(forgeries=2)),
        ([*LOG[:3], LOG[3]._replace(text="hello Ann"), *LOG[4:]], Verdict(forgeries=1)),
        ([*LOG[:3], LOG[3]._replace(reply_to=None), *LOG[4:]], Verdict(forgeries=1)),
        ([*LOG[:3], LOG[3]._replace(sender="ann"), *LOG[4:]], Verdict(forgeries=1)),
        (
            [*LOG, Entry(8, "message.sent", "bob", "b9", "nobody else saw this")],
            Verdict(forgeries=1),
        ),
    ],
)
def test_a_copy_with_a_fault_is_not_sound(copy: Log, verdict: Verdict) -> None:
    assert judge_copy(copy, LOG) == verdict


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        (LOG[:-1], Verdict(losses=1)),
        ([entry for entry in LOG if entry.sender != "ann"], Verdict(losses=3)),
        (swapped(LOG, 2, 4), Verdict(disorder=1, forgeries=2)),
        (swapped(LOG, 3, 4), Verdict(forgeries=2)),
        ([*LOG[:-1], LOG[-1]._replace(text="Bob?")], Verdict(forgeries=1)),
        ([*LOG[:-1], LOG[-1]._replace(seq=9)], Verdict(forgeries=1)),
        ([*LOG, Entry(8, "message.sent", "bob", "b9", "never said")], Verdict(forgeries=1)),
    ],
)
def test_an_acknowledgement_that_was_broken_is_found(log: Log, verdict: Verdict) -> None:
    assert judge_sayings(SAYINGS, log) == verdict


@pytest.mark.parametrize(
    "mistake", [{"text": "Bob?"}, {"id": "a4"}, {"sender": "bob"}, {"reply_to": "b1"}, {"seq": 6}]
)
def test_an_acknowledgement_of_something_else_is_found(mistake: dict[str, Any]) -> None:
    wrong = replace(SAYINGS[-1], acknowledged=LOG[-1]._replace(**mistake))
    assert judge_sayings([*SAYINGS[:-1], wrong], LOG) == Verdict(forgeries=1)


def test_verdicts_add_up() -> None:
    assert sum([Verdict(1, 2, 3, 4), Verdict(losses=1)], start=SOUND) == Verdict(2, 2, 3, 4)


def test_a_script_says_everything_once_in_order() -> None:
    day = script(OWN_DAY)
    drafts = [draft for burst in day.bursts for draft in burst]
    assert len(drafts) == len({draft.id for draft in drafts}) == 61
    assert [draft.number for draft in drafts] == sorted(draft.number for draft in drafts)
    assert {draft.author for draft in drafts} == set(day.people)
    assert max(map(len, day.bursts)) == 18
    assert "/me pours another tea" in [draft.text for draft in drafts]


def test_a_reply_comes_after_what_it_answers() -> None:
    drafts = [draft for burst in script(OWN_DAY).bursts for draft in burst]
    place = {draft.id: number for number, draft in enumerate(drafts)}
    replies = [draft for draft in drafts if draft.answers]
    assert len(replies) == 35
    assert all(place[str(draft.answers)] < place[draft.id] for draft in replies)


def test_who_is_away_speaks_before_and_after() -> None:
    day = script(OWN_DAY)
    gap = slice(7, 9)
    away = day.silent(gap, 3)
    assert len(away) == 3
    for bursts, speaks in (
        (day.bursts[:7], True),
        (day.bursts[gap], False),
        (day.bursts[9:], True),
    ):
        authors = {draft.author for burst in bursts for draft in burst}
        assert [name in authors for name in away] == [speaks] * 3


def test_usernames_are_plain_and_unlike() -> None:
    names = usernames(["Mira", "mira", "a`", "a^", "a_", "名前", "x" * 99])
    assert list(names.values()) == ["Mira", "Mira", "a_", "a_.2", "a_.3", "__", "x" * 50]


class Server:
    """Stands at the other end of a Following: it notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[dict[str, int]] = []
        self.read_again: list[str] = []
        self.client = Following(
            lambda epoch, cursors: self.asked.append(cursors), self.read_again.append
        )
        self.says(type="hello", epoch="e1", heads={"r": 0})

    def says(self, **frame: Any) -> None:
        self.client.hear(frame)

    def pushes(self, *numbers: int) -> None:
        for seq in numbers:
            self.says(type="room.updated", room="r", seq=seq, actor=None)

    @property
    def applied(self) -> list[int]:
        return [entry.seq for entry in self.client.rooms["r"].applied]


def test_events_in_order_are_applied_without_asking() -> None:
    server = Server()
    server.pushes(1, 2, 3)
    assert (server.applied, server.asked) == ([1, 2, 3], [])


def test_an_old_event_is_dropped() -> None:
    server = Server()
    server.pushes(1, 2, 1, 2, 3)
    assert (server.applied, server.asked) == ([1, 2, 3], [])
    assert server.client.rooms["r"].repeated == 2


def test_a_gap_is_asked_for_once_and_closed() -> None:
    server = Server()
    server.pushes(1, 3, 4)
    assert (server.applied, server.asked) == ([1], [{"r": 1}])
    server.pushes(2, 3, 4)
    server.says(type="resumed", room="r", head=4)
    assert (server.applied, len(server.asked), server.client.complaints) == ([1, 2, 3, 4], 1, [])


@pytest.mark.parametrize(
    "news",
    [
        {"type": "heads", "rooms": {"r": 2}},
        {"type": "hello", "epoch": "e1", "heads": {"r": 2}},
    ],
)
def test_a_head_that_is_ahead_is_asked_for(news: dict[str, Any]) -> None:
    server = Server()
    server.pushes(1)
    server.says(**news)
    assert server.asked == [{"r": 1}]


def test_a_room_joined_is_followed_from_its_beginning() -> None:
    server = Server()
    server.says(
        type="room.joined", room="self", seq=1, actor=None, joined="new", snapshot={"head": 7}
    )
    assert server.asked == [{"r": 0, "self": 1, "new": 0}]


def test_an_answer_that_only_looks_complete_is_complained_of() -> None:
    server = Server()
    server.pushes(1, 4)
    server.pushes(2)
    server.says(type="resumed", room="r", head=4)
    assert len(server.client.complaints) == 1


def test_a_reset_room_is_read_again() -> None:
    server = Server()
    server.pushes(1, 3)
    server.says(type="reset", room="r", head=2)
    assert server.read_again == ["r"]
    server.client.rebuild("r", [Entry(1, "room.created", None), Entry(2, "room.updated", None)])
    server.pushes(3)
    assert server.applied == [1, 2, 3]


def test_another_epoch_forgets_what_was_applied() -> None:
    server = Server()
    server.pushes(1, 2)
    server.says(type="hello", epoch="e2", heads={"r": 1})
    assert (server.applied, server.asked) == ([], [{"r": 0}])
