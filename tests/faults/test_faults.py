"""Three faults on every run: a process is killed, Redis comes back empty, a reader stalls; ``make faults`` has all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.fault import Fault, act
from tests.faults.of_clients import StalledBriefly
from tests.faults.of_processes import KilledOnce
from tests.faults.of_redis import RestartedSoon
from tests.faults.server import Cluster, cluster
from tests.live.services import Missing

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module")
def service() -> Iterator[Cluster]:
    """PostgreSQL, Redis and two servers of this test alone."""
    with ExitStack() as running:
        try:
            started = running.enter_context(cluster())
        except Missing as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(f"faults cannot be done: {reason}")
            pytest.skip(f"FAULTS WERE NOT TESTED: {reason}")
        yield started


@pytest.mark.parametrize("fault", [KilledOnce, RestartedSoon, StalledBriefly])
def test_the_guarantees_hold_through(
    fault: type[Fault], service: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = asyncio.run(act(fault(), service))
    with capsys.disabled():
        print("\n" + " | ".join(verdict.cells()), *verdict.notes)
    assert verdict.wrong == {}
