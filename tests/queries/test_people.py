"""People and devices, as those who may look find them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.actions.devices import end_devices, open_device
from chat.actions.people import update_profile
from chat.errors import NotFound
from chat.models import Profile
from chat.queries.people import devices_of, find_people, living_device, person, person_of_account

pytestmark = pytest.mark.django_db


def test_people_are_found_by_the_beginning_of_a_name(ann: Profile, bob: Profile) -> None:
    update_profile(bob, display_name="Zoë")
    assert list(find_people()) == [ann, bob]
    assert list(find_people("AN")) == [ann]
    assert list(find_people("Zo")) == [bob]
    assert list(find_people("b")) == [bob]
    assert not find_people("nn").exists()


@pytest.mark.parametrize("words", ["%", "_", "a%", "\\"])
def test_wildcards_are_letters(ann: Profile, words: str) -> None:
    assert not find_people(words).exists()


def test_a_person_is_there_or_not(ann: Profile) -> None:
    assert person(ann.pk) == ann
    with pytest.raises(NotFound):
        person(uuid4())
    assert person_of_account(12345) is None


def test_devices_are_listed_the_last_seen_first(ann: Profile, bob: Profile) -> None:
    make: Callable[[Profile], object] = lambda who: open_device(  # noqa: E731
        who, None, name="", refresh_jti="", sid=uuid4()
    )
    first, second = make(ann), make(ann)
    make(bob)
    assert list(devices_of(ann)) == [second, first]
    end_devices(ann, [first.pk])
    assert list(devices_of(ann)) == [second]
    assert living_device(first.pk) is None
