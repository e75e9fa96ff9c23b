"""The rules of the house once more, in plain Python and without a database, to hold the real ones against."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from chat.errors import ChatError, Conflict, Forbidden, Invalid, NotFound

ORDER = ["member", "moderator", "admin", "owner"]

Refusal = type[ChatError] | None


@dataclass
class Seat:
    """Someone's place in a room."""

    role: str
    history_from: int
    read: int
    unread_from: int | None = None
    muted: bool = False

    @property
    def rank(self) -> int:
        return ORDER.index(self.role)


@dataclass
class Said:
    """A message, and what was first sent under its id."""

    id: UUID
    sender: str
    seq: int
    first: str
    answers: UUID | None
    text: str = ""
    deleted: bool = False
    pinned: bool = False


@dataclass
class Place:
    """A room: its log as a list of types, its people by name, its messages in order."""

    id: UUID
    direct: bool = False
    public: bool = False
    hides: bool = False
    frozen: bool = False
    ended: bool = False
    log: list[str] = field(default_factory=list)
    seats: dict[str, Seat] = field(default_factory=dict)
    banned: set[str] = field(default_factory=set)
    said: dict[UUID, Said] = field(default_factory=dict)
    leavings: dict[str, int] = field(default_factory=dict)
    added_again: set[str] = field(default_factory=set)

    @property
    def head(self) -> int:
        return len(self.log)

    def enter(self, who: str, role: str = "member", *, added: bool = False) -> None:
        self.log.append("member.joined")
        if not added:
            self.added_again.discard(who)
        elif self.leavings.get(who):
            self.added_again.add(who)
        hidden = self.head if self.hides else 0
        self.seats[who] = Seat(role, hidden, self.head)

    def go(self, who: str, event: str) -> None:
        self.log.append(event)
        del self.seats[who]
        if event == "member.left":
            self.leavings[who] = self.leavings.get(who, 0) + 1

    def outside(self, who: str) -> Refusal:
        """What someone is told who is not in."""
        if who in self.seats:
            return None
        return Forbidden if self.public and not self.ended else NotFound

    def joining(self, who: str) -> Refusal:
        if who in self.seats or (self.public and not self.ended and who not in self.banned):
            return None
        return self.outside(who)

    def last_owner(self, who: str) -> bool:
        owners = [name for name, seat in self.seats.items() if seat.role == "owner"]
        return owners == [who]

    def leaving(self, who: str) -> Refusal:
        if self.direct:
            return self.outside(who) or Forbidden
        return self.outside(who) or (Conflict if self.last_owner(who) else None)

    def adding(self, who: str, other: str, role: str) -> Refusal:
        if refusal := self.outside(who):
            return refusal
        mine = self.seats[who].rank
        above = mine >= 1 and mine > ORDER.index(role)
        if self.direct or not (mine == 3 or above):
            return Forbidden
        if other in self.banned:
            return Conflict
        left_for_good = self.leavings.get(other, 0) >= 2 or other in self.added_again
        return Forbidden if left_for_good and other not in self.seats else None

    def ruling(self, who: str, over: str, least: int, given: int = 0) -> Refusal:
        """Decide about another: from some rank on, and only above them and what is given."""
        if refusal := self.outside(who):
            return refusal
        if over not in self.seats:
            return NotFound
        mine, theirs = self.seats[who].rank, self.seats[over].rank
        if self.direct or not (mine == 3 or least <= mine > max(theirs, given)):
            return Forbidden
        return None

    def removing(self, who: str, over: str) -> Refusal:
        if refusal := self.ruling(who, over, 1):
            return refusal
        return Forbidden if who == over else None

    def banning(self, who: str, over: str) -> Refusal:
        if refusal := self.governing(who, 1):
            return refusal
        theirs = self.seats[over].rank if over in self.seats else -1
        return None if theirs < self.seats[who].rank else Forbidden

    def unbanning(self, who: str, over: str) -> Refusal:
        if refusal := self.governing(who, 1):
            return refusal
        return None if over in self.banned else NotFound

    def promoting(self, who: str, over: str, role: str) -> Refusal:
        if refusal := self.ruling(who, over, 2, ORDER.index(role)):
            return refusal
        steps_down = self.seats[over].role != role and self.last_owner(over)
        return Conflict if steps_down else None

    def governing(self, who: str, least: int) -> Refusal:
        """Set the room up, or end it."""
        if refusal := self.outside(who):
            return refusal
        return None if not self.direct and self.seats[who].rank >= least else Forbidden

    def silent(self, who: str) -> bool:
        seat = self.seats[who]
        return seat.muted or (self.frozen and seat.rank < 1)

    def sending(self, who: str, answers: UUID | None) -> Refusal:
        if refusal := self.outside(who):
            return refusal
        if self.silent(who):
            return Forbidden
        if answers is None:
            return None
        quoted = self.said.get(answers)
        if quoted is None or quoted.seq < self.seats[who].history_from:
            return NotFound
        return Invalid if quoted.deleted else None

    def touching(self, who: str, message: Said) -> Refusal:
        if refusal := self.outside(who):
            return refusal
        return NotFound if message.seq < self.seats[who].history_from else None

    def editing(self, who: str, message: Said) -> Refusal:
        if refusal := self.touching(who, message):
            return refusal
        if message.sender != who or self.silent(who):
            return Forbidden
        return Conflict if message.deleted else None

    def deleting(self, who: str, message: Said) -> Refusal:
        if refusal := self.touching(who, message):
            return refusal
        mine = message.sender == who
        return None if mine or self.seats[who].rank >= 1 else Forbidden

    def pinning(self, who: str, message: Said, on: bool) -> Refusal:
        if refusal := self.touching(who, message):
            return refusal
        if not self.direct and self.seats[who].rank < 1:
            return Forbidden
        return Conflict if on and message.deleted else None

    def seen(self, who: str) -> list[tuple[int, str, bool]]:
        """The messages that someone may read: place, words, and whether pinned."""
        begins = self.seats[who].history_from
        return [(one.seq, one.text, one.pinned) for one in self.said.values() if one.seq >= begins]

    def unread(self, who: str) -> int:
        seat = self.seats[who]
        past = min(seat.read, (seat.unread_from or seat.read + 1) - 1)
        others = [one for one in self.said.values() if one.sender != who and not one.deleted]
        return sum(one.seq > past and one.seq >= seat.history_from for one in others)
