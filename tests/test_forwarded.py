"""The server believes about addresses and TLS only the proxies that FORWARDED_ALLOW_IPS names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest

from tests.live.processes import common_environment, serving

TRIES = 3
_names = count(1)


@contextmanager
def believing(place: Path, proxies: str | None) -> Iterator[str]:
    environment = {
        **common_environment(),
        "DATABASE_URL": f"sqlite:///{place / 'parley.sqlite3'}",
        "REDIS_URL": "",
        "CHAT_LIMIT_ADDRESS": f"{TRIES}/hour",
    }
    environment.pop("FORWARDED_ALLOW_IPS", None)
    if proxies is not None:
        environment["FORWARDED_ALLOW_IPS"] = proxies
    with serving("forwarded", environment, place, processes=1) as running:
        yield f"http://{running.addresses[0]}"


@pytest.fixture(scope="module", params=[None, "", "192.0.2.1"], ids=["unset", "empty", "another"])
def unbelieving(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with believing(tmp_path_factory.mktemp("unbelieving"), request.param) as site:
        yield site


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with believing(tmp_path_factory.mktemp("trusting"), "127.0.0.1") as site:
        yield site


def statuses(site: str, *hops: str) -> list[int]:
    """Try a wrong password once for each address, as a proxy on this machine would hand it on."""
    return [
        httpx2.post(
            f"{site}/api/auth/token/",
            json={"username": f"nobody{next(_names)}", "password": "not-the-password"},
            headers={"X-Forwarded-For": hop},
        ).status_code
        for hop in hops
    ]


def scheme(site: str, **headers: str) -> str:
    root = httpx2.get(f"{site}/api/?format=json", headers=headers).json()
    return str(root["me"]).partition(":")[0]


def test_nothing_that_is_forwarded_counts_where_no_proxy_is_named(unbelieving: str) -> None:
    assert statuses(unbelieving, *(f"203.0.113.{n}" for n in range(TRIES + 1)))[-1] == 429
    assert scheme(unbelieving, **{"X-Forwarded-Proto": "https"}) == "http"


def test_a_named_proxy_is_believed(trusting: str) -> None:
    assert set(statuses(trusting, *(f"203.0.113.{n}" for n in range(TRIES + 1)))) == {401}
    assert scheme(trusting, **{"X-Forwarded-Proto": "https"}) == "https"


@pytest.mark.parametrize("hop", ["198.51.100.7:{}", "[2001:db8::7]:{}", "[2001:db8:0:1::{}]"])
def test_one_address_is_one_whatever_its_ports(trusting: str, hop: str) -> None:
    assert statuses(trusting, *(hop.format(5000 + n) for n in range(TRIES + 1)))[-1] == 429
