"""Lend a file of tests the house of ``replay_cases``, built once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.replay_house import House, build
from tests.scene import undone


@pytest.fixture(scope="module")
def furnished(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """Build the house once for a whole file; each test works on a copy and is rolled back to it."""
    with django_db_blocker.unblock(), undone():
        yield build()
