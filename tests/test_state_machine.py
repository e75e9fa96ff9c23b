"""Whatever people do, in whatever order: the domain does what the plain model says, and every log stays whole."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chat.actions import bans, members, messages, reads, rooms
from chat.actions.sending import Draft, send_message
from chat.errors import Conflict, Forbidden, Invalid
from chat.models import Membership, Profile
from chat.serializers.cleaning import shows, tidy_message
from tests.house import NAMES, House
from tests.plain_model import ORDER, Place, Said, Seat
from tests.thorough import examples

FAR = datetime(2999, 1, 1, tzinfo=UTC)

person = st.sampled_from(NAMES)
any_of = st.integers(0, 9)
roles = st.sampled_from(ORDER)
# As they are stored: what cleaning does to a text has tests of its own.
words = st.text(min_size=1, max_size=9).map(tidy_message).filter(shows)
somewhere = precondition(lambda house: bool(house.places))
spoken = precondition(lambda house: any(place.said for place in house.places[-3:]))


class Life(House):
    """What four people do, in rooms that they make as they go along."""

    @initialize()
    def begin(self) -> None:
        self.move_in()
        self.open_group("ann", public=True, hides=True, others={"bob"})

    @precondition(lambda house: sum(not place.ended for place in house.places) < 3)
    @rule(
        owner=person, public=st.booleans(), hides=st.booleans(), others=st.sets(person, max_size=2)
    )
    def open_group(self, owner: str, public: bool, hides: bool, others: set[str]) -> None:
        place = Place(uuid4(), public=public, hides=hides, log=["room.created"])
        rooms.create_group(
            self.people[owner],
            id=place.id,
            title="Group",
            visibility="public" if public else "private",
            history="joined" if hides else "all",
            members=[self.people[name].pk for name in others],
        )
        self._first(place, {owner: "owner", **dict.fromkeys(others - {owner}, "member")})

    @rule(one=person, other=person)
    def open_direct(self, one: str, other: str) -> None:
        if one == other:
            return
        known = [p for p in self.places if p.direct and set(p.seats) == {one, other}]
        room, new = rooms.open_direct(self.people[one], self.people[other].pk)
        assert new == (not known)
        if new:
            place = Place(room.pk, direct=True, log=["room.created"])
            self._first(place, {one: "member", other: "member"})

    def _first(self, place: Place, seats: dict[str, str]) -> None:
        for name, role in seats.items():
            place.log.append("member.joined")
            place.seats[name] = Seat(role, 0, 0)
        for seat in Membership.objects.filter(room=place.id).select_related("user"):
            # Those of the first hour come in one event each, in no order that is promised.
            place.seats[seat.user.username].read = seat.read_seq
        self.places.append(place)
        self.last = place

    @somewhere
    @rule(who=person, number=any_of)
    def join(self, who: str, number: int) -> None:
        place = self.at(number)
        if (
            self.attempt(place.joining(who), members.join_room, who, place.id)
            and who not in place.seats
        ):
            place.enter(who)

    @somewhere
    @rule(who=person, other=person, number=any_of, role=roles)
    def add(self, who: str, other: str, number: int, role: str) -> None:
        place = self.at(number)
        args = (place.id, self.people[other].pk, role)
        done = self.attempt(place.adding(who, other, role), members.add_member, who, *args)
        if done and other not in place.seats:
            place.enter(other, role, added=True)

    @somewhere
    @rule(who=person, number=any_of)
    def leave(self, who: str, number: int) -> None:
        place, who = self.inside(number, who)
        if self.attempt(place.leaving(who), members.leave_room, who, place.id):
            place.go(who, "member.left")

    @somewhere
    @rule(who=person, other=person, number=any_of)
    def remove(self, who: str, other: str, number: int) -> None:
        place, who = self.inside(number, who)
        args = (place.id, self.people[other].pk)
        if self.attempt(place.removing(who, other), members.remove_member, who, *args):
            place.go(other, "member.removed")

    @somewhere
    @rule(who=person, other=person, number=any_of)
    def ban(self, who: str, other: str, number: int) -> None:
        place, who = self.inside(number, who)
        args = (place.id, self.people[other].pk)
        done = self.attempt(place.banning(who, other), bans.ban_member, who, *args)
        if done and other not in place.banned:
            place.banned.add(other)
            place.log.append("member.banned")
            place.seats.pop(other, None)

    @somewhere
    @rule(who=person, other=person, number=any_of)
    def unban(self, who: str, other: str, number: int) -> None:
        place, who = self.inside(number, who)
        args = (place.id, self.people[other].pk)
        if self.attempt(place.unbanning(who, other), bans.unban_member, who, *args):
            place.banned.discard(other)
            place.log.append("member.unbanned")

    @somewhere
    @rule(who=person, other=person, number=any_of, role=roles)
    def promote(self, who: str, other: str, number: int, role: str) -> None:
        place, who = self.inside(number, who)
        args = (place.id, self.people[other].pk, role)
        done = self.attempt(place.promoting(who, other, role), members.change_role, who, *args)
        if done and place.seats[other].role != role:
            place.seats[other].role = role
            place.log.append("member.role_changed")

    @somewhere
    @rule(who=person, other=person, number=any_of, muted=st.booleans())
    def mute(self, who: str, other: str, number: int, muted: bool) -> None:
        place, who = self.inside(number, who)
        args = (place.id, self.people[other].pk, FAR if muted else None)
        refusal = place.ruling(who, other, 1)
        if refusal is None and muted and who == other:
            refusal = Forbidden
        done = self.attempt(refusal, members.mute_member, who, *args)
        if done and place.seats[other].muted != muted:
            place.seats[other].muted = muted
            place.log.append("member.muted")

    @somewhere
    @rule(who=person, number=any_of, frozen=st.booleans())
    def freeze(self, who: str, number: int, frozen: bool) -> None:
        place, who = self.inside(number, who)
        done = self.attempt(
            place.governing(who, 2), rooms.update_room, who, place.id, frozen=frozen
        )
        if done and place.frozen != frozen:
            place.frozen = frozen
            place.log.append("room.updated")

    @precondition(lambda house: len(house.places) > 2)
    @rule(who=person, number=any_of)
    def end(self, who: str, number: int) -> None:
        place, who = self.inside(number, who)
        if self.attempt(place.governing(who, 3), rooms.delete_room, who, place.id):
            place.log.append("room.deleted")
            place.ended, place.seats = True, {}

    @somewhere
    @rule(who=person, number=any_of, text=words, answered=st.none() | any_of)
    def send(self, who: str, number: int, text: str, answered: int | None) -> None:
        place, who = self.inside(number, who)
        known = list(place.said)
        answers = known[answered % len(known)] if known and answered is not None else None
        said = Said(uuid4(), who, place.head + 1, text, answers, text)
        if self.attempt(place.sending(who, answers), self._send, who, place.id, said):
            place.said[said.id] = said
            place.log.append("message.sent")

    def _send(self, sender: Profile, room: UUID, said: Said) -> None:
        draft = Draft(sender, room, said.first, id=said.id, reply_to=said.answers)
        sent = send_message(draft).message
        assert (sent.pk, sent.seq) == (said.id, said.seq)

    @spoken
    @rule(number=any_of, other_words=st.booleans())
    def send_again(self, number: int, other_words: bool) -> None:
        place, said = self.message(number)
        refusal = place.outside(said.sender) or (Conflict if other_words else None)
        first = said.first + "!" if other_words else said.first
        again = Said(said.id, said.sender, said.seq, first, said.answers)
        self.attempt(refusal, self._send, said.sender, place.id, again)

    @spoken
    @rule(who=person, number=any_of, text=words, own=st.booleans())
    def edit(self, who: str, number: int, text: str, own: bool) -> None:
        place, said = self.message(number)
        who = said.sender if own else who
        done = self.attempt(place.editing(who, said), messages.edit_message, who, said.id, text)
        if done and said.text != text:
            said.text = text
            place.log.append("message.edited")

    @spoken
    @rule(who=person, number=any_of, own=st.booleans())
    def delete(self, who: str, number: int, own: bool) -> None:
        place, said = self.message(number)
        who = said.sender if own else who
        done = self.attempt(place.deleting(who, said), messages.delete_message, who, said.id)
        if done and not said.deleted:
            said.text, said.deleted, said.pinned = "", True, False
            place.log.append("message.deleted")

    @spoken
    @rule(who=person, number=any_of, on=st.booleans())
    def pin(self, who: str, number: int, on: bool) -> None:
        place, said = self.message(number)
        verb = messages.pin_message if on else messages.unpin_message
        done = self.attempt(place.pinning(who, said, on), verb, who, said.id)
        if done and said.pinned != on:
            said.pinned = on
            place.log.append("message.pinned" if on else "message.unpinned")

    @somewhere
    @rule(who=person, number=any_of, tenths=st.integers(0, 11))
    def read(self, who: str, number: int, tenths: int) -> None:
        place, who = self.inside(number, who)
        seq = place.head * tenths // 10
        if self.attempt(place.outside(who), reads.mark_read, who, place.id, seq):
            seat, reached = place.seats[who], min(seq, place.head)
            seat.read = max(seat.read, reached)
            if seat.unread_from is not None and seat.unread_from <= reached:
                seat.unread_from = None

    @somewhere
    @rule(who=person, number=any_of, tenths=st.integers(0, 11))
    def unread(self, who: str, number: int, tenths: int) -> None:
        place, who = self.inside(number, who)
        seq = place.head * tenths // 10
        refusal = place.outside(who)
        if refusal is None and not max(1, place.seats[who].history_from) <= seq <= place.head:
            refusal = Invalid
        if self.attempt(refusal, reads.mark_unread, who, place.id, seq):
            place.seats[who].unread_from = seq

    @somewhere
    @rule(who=person)
    def catch_up(self, who: str) -> None:
        self.follow(who)


@pytest.mark.django_db
@pytest.mark.slow
def test_the_house_does_what_the_plain_model_says() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples(8, 200),
            stateful_step_count=examples(50, 80),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
