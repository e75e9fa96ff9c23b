"""People who are signed in to the running service, each under a name of their own."""

from __future__ import annotations

from itertools import count

import pytest

from tests.live.processes import SetUp
from tests.websocket.wire import Caller

_numbers = count(1)


@pytest.fixture
def here(setup: SetUp) -> str:
    """The address of one server process."""
    return setup.addresses[0]


@pytest.fixture
def there(setup: SetUp) -> str:
    """The address of another server process, where the set-up has one."""
    return setup.addresses[-1]


@pytest.fixture
def ann(here: str) -> Caller:
    return Caller.registered(here, f"ann{next(_numbers)}")


@pytest.fixture
def bob(there: str) -> Caller:
    return Caller.registered(there, f"bob{next(_numbers)}")
