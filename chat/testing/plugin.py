"""Pytest fixtures for hosts: people, rooms, a socket, and ``on_commit`` hooks that run.

Pytest loads this file before Django has its settings, so whatever needs them is imported in the fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def chat_person(db: None) -> Callable[[Any], Any]:
    """The profile of an account, ``chat_person(account)``; or of nobody's account, ``chat_person("ann")``."""
    from chat.actions.people import add_person, profile_for

    return lambda who: add_person(username=who) if isinstance(who, str) else profile_for(who)


@pytest.fixture
def chat_room(chat_person: Callable[[Any], Any]) -> Callable[..., Any]:
    """A group: ``chat_room(owner, *members, title="Tea", visibility="private")``; people as chat_person takes them."""
    from chat.actions.rooms import create_group

    def make(owner: Any, *members: Any, **fields: Any) -> Any:
        first, *others = (_profile(one, chat_person) for one in (owner, *members))
        fields = {"title": "Room", "visibility": "private", **fields}
        return create_group(first, members=[one.pk for one in others], **fields)[0]

    return make


def _profile(one: Any, chat_person: Callable[[Any], Any]) -> Any:
    from chat.queries.people import Person

    return one if isinstance(one, Person) else chat_person(one)


@pytest.fixture
def chat_on_commit(db: None) -> Iterator[None]:
    """Under ``django_db``, run what waits for a commit when the code's own outermost block ends well."""
    from chat.testing.commits import firing

    with firing():
        yield


@pytest.fixture
def chat_socket(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Opens sockets of the chat in this process.

    For a ``with``: ``chat_socket(account)`` gives one that has been told ``hello``. It is signed in as the account,
    whatever ``CHAT["AUTHENTICATION"]`` says; or for good by ``token="…"``. Rows must really be committed to be seen
    there, hence ``transactional_db``; on SQLite the test database must be a file.
    """
    from chat.testing.sockets import Exchange

    exchange = Exchange(monkeypatch)
    try:
        yield exchange.open
    finally:
        exchange.close()
