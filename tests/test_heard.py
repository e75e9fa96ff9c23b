"""Each event that a socket receives is the text that the log later shows."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chat.events import Published
from chat.queries.log import missed
from tests.replay_cases import CASES
from tests.replay_house import build
from tests.replica import differences


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", CASES)
def test_what_is_heard_is_what_is_logged(name: str, configured: Callable[..., None]) -> None:
    """At the moment it is heard, an event is the very text that a repair would bring.

    But for the first of a log: whoever could hear it is told by the events after it.
    """
    house = build()
    unlike: list[str] = []

    def compare(items: list[Published]) -> None:
        for item in items:
            if item.seq > 1:
                (again,) = missed({item.room: item.seq - 1}, 1)
                told, logged = json.loads(item.text), json.loads(again.text)
                unlike.extend(differences(told, logged, item.type))
                assert (again.since, bool(again.narrower)) == (item.since, bool(item.narrower))

    configured(OUTLETS=[compare])
    CASES[name][1](house)
    assert not unlike
