"""Three people, a group and a direct room, and an ear for everything that is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chat.actions.people import add_person
from chat.actions.rooms import create_group, open_direct
from chat.events import Published, database
from chat.models import Profile, Room
from tests.access_scene import house  # noqa: F401  (a fixture of this name, for all tests)
from tests.furnished import furnished  # noqa: F401  (as well)
from tests.live.fixtures import setup  # noqa: F401  (as well)

# A project of its own, which test_host.py runs in a process of its own.
collect_ignore = ["host"]


class Heard(list[Published]):
    """All that was published so far, in the order in which it went out."""

    def __init__(self, committing: Callable[..., Any]) -> None:
        super().__init__()
        self._committing = committing

    def of(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Published]:
        """Return what goes out when a verb has run and its transaction is committed."""
        before = len(self)
        with self._committing(execute=True, using=database()):
            verb(*args, **kwargs)
        return self[before:]

    def types_of(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
        return [item.type for item in self.of(verb, *args, **kwargs)]


@pytest.fixture
def heard(settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]) -> Heard:
    everything = Heard(django_capture_on_commit_callbacks)
    settings.CHAT = {**getattr(settings, "CHAT", {}), "OUTLETS": [everything.extend]}
    return everything


@pytest.fixture
def configured(settings: Any) -> Callable[..., None]:
    """Change settings of the chat for one test."""

    def configure(**changes: Any) -> None:
        settings.CHAT = {**getattr(settings, "CHAT", {}), **changes}

    return configure


@pytest.fixture
def person(db: None) -> Callable[..., Profile]:
    """Make a person: ``person("ann")``."""
    return lambda username, **fields: add_person(username=username, **fields)


@pytest.fixture
def ann(person: Callable[..., Profile]) -> Profile:
    return person("ann")


@pytest.fixture
def bob(person: Callable[..., Profile]) -> Profile:
    return person("bob")


@pytest.fixture
def cat(person: Callable[..., Profile]) -> Profile:
    return person("cat")


@pytest.fixture
def group(ann: Profile, bob: Profile) -> Room:
    """A public group that ann owns and bob is in; cat is not."""
    return create_group(ann, title="Harbour", visibility="public", members=[bob.pk])[0]


@pytest.fixture
def den(ann: Profile, bob: Profile) -> Room:
    """A private group that ann owns and bob is in; cat may not know of it."""
    return create_group(ann, title="Den", visibility="private", members=[bob.pk])[0]


@pytest.fixture
def pier(ann: Profile, bob: Profile) -> Room:
    """A public group where whoever comes later sees nothing of before."""
    return create_group(ann, title="Pier", visibility="public", history="joined", members=[bob.pk])[
        0
    ]


@pytest.fixture
def pair(ann: Profile, bob: Profile) -> Room:
    """The direct room of ann and bob."""
    return open_direct(ann, bob.pk)[0]
