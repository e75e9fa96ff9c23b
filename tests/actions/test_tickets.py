"""Tickets: good once, for seconds, and for whoever asked; only their digest is kept."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat.actions.devices import end_devices, open_device
from chat.actions.people import profile_for
from chat.actions.tickets import CLEARED, LIFETIME, make_ticket, use_ticket
from chat.errors import Unauthenticated
from chat.models import Profile, Ticket
from chat.queries.grounds import Grounds, grounds_of
from tests.scene import together

pytestmark = pytest.mark.django_db


class Auth:
    """What an authentication class may say beside the user."""

    def __init__(self, device: Any) -> None:
        self.device = device


@pytest.fixture
def grounds() -> Grounds:
    """A person with an account, signed in on a device."""
    user = get_user_model().objects.create_user("dora", password="a long walk home")
    device = open_device(profile_for(user), user, name="", refresh_jti="one", sid=uuid4())
    return grounds_of(device.profile, user, Auth(device.pk), None)


@pytest.fixture
def dora(grounds: Grounds) -> Profile:
    return Profile.objects.get(pk=grounds.person)


def test_a_ticket_lets_in_once_whoever_asked(dora: Profile, grounds: Grounds) -> None:
    ticket = make_ticket(dora, grounds, 4711.0)
    assert use_ticket(ticket) == (dora, grounds, 4711.0)
    with pytest.raises(Unauthenticated):
        use_ticket(ticket)


def test_a_ticket_cannot_be_guessed_nor_read_from_the_table(
    dora: Profile, grounds: Grounds
) -> None:
    tickets = {make_ticket(dora, grounds, None) for _ in range(20)}
    assert len(tickets) == 20
    # 43 letters of six bits: 256.
    assert {len(ticket) for ticket in tickets} == {43}
    stored = str(list(Ticket.objects.values()))
    assert not [ticket for ticket in tickets if ticket in stored]
    with pytest.raises(Unauthenticated):
        use_ticket(Ticket.objects.values_list("digest", flat=True)[0])


@pytest.mark.parametrize("odd", ["", "x", "\x00", "é", "\ud800", "x" * 9999])
def test_what_never_was_a_ticket_is_refused(db: None, odd: str) -> None:
    with pytest.raises(Unauthenticated):
        use_ticket(odd)


def test_an_old_ticket_is_refused_and_cleared_when_others_are_made(
    dora: Profile, grounds: Grounds
) -> None:
    assert LIFETIME <= 30
    old = make_ticket(dora, grounds, None)
    lived = Ticket.objects.get().expires_at - timezone.now()
    assert lived <= timedelta(seconds=LIFETIME)
    Ticket.objects.update(expires_at=timezone.now())
    with pytest.raises(Unauthenticated):
        use_ticket(old)
    make_ticket(dora, grounds, None)
    assert Ticket.objects.count() == 1
    assert CLEARED > 1


def test_a_ticket_dies_with_what_it_rests_on(dora: Profile, grounds: Grounds) -> None:
    ticket, other = make_ticket(dora, grounds, None), make_ticket(dora, grounds, None)
    end_devices(dora)
    with pytest.raises(Unauthenticated):
        use_ticket(ticket)
    dora.user.delete()
    with pytest.raises(Unauthenticated):
        use_ticket(other)


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_at_once_exactly_one_lets_in(dora: Profile, grounds: Grounds) -> None:
    def use(ticket: str) -> bool:
        try:
            return use_ticket(ticket)[0] == dora
        except Unauthenticated:
            return False

    for _ in range(5):
        ticket = make_ticket(dora, grounds, None)
        assert together([partial(use, ticket)] * 8).count(True) == 1
