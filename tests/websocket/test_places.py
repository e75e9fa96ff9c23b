"""Places of several processes in one Redis: mended when it forgets, and done without when it is away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from chat.errors import RateLimited
from chat.limits import store
from chat.limits.places import Places
from tests.live.processes import private_name, private_prefix

URL = os.environ.get("REDIS_URL", "")
NOWHERE = "redis://127.0.0.1:1"
LIMIT = 3

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def prefix(configured: Any) -> Iterator[str]:
    """A prefix of Redis that is nobody else's."""
    if not URL:
        pytest.skip("Places are shared in Redis alone.")
    name = f"parley-places-{private_name()}"
    with private_prefix(URL, name):
        configured(LIMITS_STORAGE=URL, LIMITS_PREFIX=name)
        yield name


def taken(places: Places, times: int) -> int:
    """How many of so many places were there."""
    found = 0
    for _ in range(times):
        try:
            places.take("ann", LIMIT)
        except RateLimited:
            continue
        found += 1
    return found


def forget(prefix: str, which: str = "*") -> None:
    with redis.Redis.from_url(URL) as client:
        for key in client.scan_iter(match=f"{prefix}:places:{which}"):
            client.delete(key)


def test_places_are_counted_together(prefix: str) -> None:
    here, there = Places(), Places()
    assert [taken(here, 2), taken(there, 2), taken(here, 1)] == [2, 1, 0]
    here.leave("ann")
    assert taken(there, 1) == 0
    assert here.say()
    assert taken(there, 2) == 1


@pytest.mark.parametrize("which", ["*", "process:*"])
def test_what_redis_forgets_is_said_again(prefix: str, which: str) -> None:
    here, there, later = Places(), Places(), Places()
    assert [taken(here, 2), taken(there, 1)] == [2, 1]
    forget(prefix, which)
    assert here.say()
    assert there.say()
    assert taken(later, 1) == 0


def test_a_process_that_gives_no_sign_of_life_holds_nothing(prefix: str) -> None:
    here, there = Places(), Places()
    assert taken(here, LIMIT) == LIMIT
    forget(prefix, "process:*")
    assert taken(there, LIMIT) == LIMIT


def test_without_redis_each_process_counts_its_own(configured: Any) -> None:
    configured(LIMITS_STORAGE=NOWHERE)
    here, there = Places(), Places()
    assert [taken(here, 9), taken(there, 9)] == [LIMIT, LIMIT]
    here.leave("ann")
    assert not here.say()
    assert taken(here, 9) == 1


def test_when_redis_is_back_all_is_said(prefix: str, configured: Any) -> None:
    here, there = Places(), Places()
    configured(LIMITS_STORAGE=NOWHERE)
    assert taken(here, 2) == 2
    with pytest.raises(store.Away), store.asking():
        pass
    configured(LIMITS_STORAGE=URL, LIMITS_PREFIX=prefix)
    assert here.say()
    assert taken(there, 9) == 1
