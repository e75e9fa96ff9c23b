"""The house that the state machine lives in: its people and rooms, how verbs are tried, and what must always hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from chat.actions import people
from chat.errors import NotFound
from chat.models import Ban, Membership, Profile, Room
from chat.queries.epoch import current_epoch
from chat.queries.messages import history
from chat.queries.rooms import room_view
from tests.plain_model import Place, Refusal, Said
from tests.replica import Replica, differences
from tests.scene import logged

NAMES = ["ann", "bob", "cat", "dan"]


class House(RuleBasedStateMachine):
    """Four people, and rooms that they make as they go along."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.places: list[Place] = []
        self.last: Place | None = None

    def teardown(self) -> None:
        try:
            for name in NAMES if self.places else []:
                self.follow(name)
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def move_in(self) -> None:
        """Begin with four people, each with a client."""
        self.people: dict[str, Profile] = {name: people.add_person(username=name) for name in NAMES}
        epoch = current_epoch()
        self.replicas = {name: Replica(one, epoch, page=7) for name, one in self.people.items()}

    def at(self, number: int) -> Place:
        """One of the latest rooms, so that much happens in few."""
        latest = self.places[-3:]
        self.last = latest[number % len(latest)]
        return self.last

    def inside(self, number: int, who: str) -> tuple[Place, str]:
        """A room, and nearly always one of its people."""
        place = self.at(number)
        names = sorted(place.seats)
        insider = names and number < 8
        return place, names[NAMES.index(who) % len(names)] if insider else who

    def message(self, number: int) -> tuple[Place, Said]:
        everywhere = [(place, one) for place in self.places[-3:] for one in place.said.values()]
        self.last, said = everywhere[number % len(everywhere)]
        return self.last, said

    def attempt(self, refusal: Refusal, verb: Any, who: str, *args: Any, **more: Any) -> bool:
        """Run a verb that must be refused in just this way, or not at all."""
        if refusal is None:
            verb(self.people[who], *args, **more)
            return True
        with pytest.raises(refusal) as told:
            verb(self.people[who], *args, **more)
        assert told.type is refusal
        return False

    def follow(self, who: str) -> None:
        """A client catches up by its logs alone, and then holds what a new one reads."""
        replica = self.replicas[who]
        replica.catch_up()
        fresh = Replica(self.people[who], replica.epoch)
        assert not differences(replica.state(), fresh.state())

    @invariant()
    def the_last_room_is_as_the_model_says(self) -> None:
        if (place := self.last) is None:
            return
        room = Room.objects.get(pk=self.last.id)
        assert logged(room) == place.log
        assert room.members_count == len(place.seats)
        stored = Membership.objects.filter(room=room).values_list("user__username", "role")
        assert dict(stored) == {name: seat.role for name, seat in place.seats.items()}
        kept_out = Ban.objects.filter(room=room).values_list("user__username", flat=True)
        assert set(kept_out) == place.banned
        assert not place.banned & place.seats.keys()
        assert place.ended or place.direct or "owner" in dict(stored).values()
        for name in NAMES:
            self._sees(name, place)

    def _sees(self, name: str, place: Place) -> None:
        viewer = self.people[name]
        if refusal := place.outside(name):
            self.attempt(refusal, history, name, place.id, limit=100)
            if refusal is NotFound:
                self.attempt(refusal, room_view, name, place.id)
            return
        seen = history(viewer, place.id, limit=100)
        assert [(m.seq, m.text, bool(m.pinned_at)) for m in seen.messages] == place.seen(name)
        me = room_view(viewer, place.id).me
        assert me
        assert (me.unread, me.read_seq) == (place.unread(name), place.seats[name].read)
