"""How often one may be wrong at sign-in, and that nobody locks out another for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rest_framework.test import APIClient

from chat.models import Profile
from tests.rest.conftest import PASSWORD, SignIn, refresh, refused

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def tries(name: str = "dora", password: str = "wrong", at: str = HERE, **headers: str) -> Any:
    body = {"username": name, "password": password}
    return APIClient().post("/api/auth/token/", body, REMOTE_ADDR=at, **headers)


def codes(times: int, *args: str, **kwargs: str) -> list[int]:
    return [tries(*args, **kwargs).status_code for _ in range(times)]


def test_ten_wrong_passwords_for_an_account_are_enough(dora: Profile) -> None:
    assert codes(10) == [401] * 10
    answer = tries(password=PASSWORD)
    body = refused(answer, 429, "rate_limited")
    assert 0 < body["retry_after"] <= 300
    assert answer["Retry-After"] == str(body["retry_after"])


def test_who_is_not_there_is_counted_in_the_same_way(dora: Profile) -> None:
    said = [tries(name).json() for name in ("dora", "nobody") for _ in range(11)]
    for one in said:
        one.pop("retry_after", None)
    assert said[:11] == said[11:]


def test_a_name_written_otherwise_is_the_same_account(dora: Profile) -> None:
    codes(9)
    assert [tries(name).status_code for name in ("DORA", "\uff24ora", " dora ")] == [401, 429, 429]


def test_the_right_password_works_later(
    dora: Profile, configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(LIMIT_ACCOUNT="2/minute")
    assert codes(3) == [401, 401, 429]
    now = __import__("time").time()
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert tries(password=PASSWORD).status_code == 200


def test_the_right_password_is_not_counted(dora: Profile, configured: Any) -> None:
    configured(LIMIT_ADDRESS="3/minute", LIMIT_ACCOUNT="3/minute")
    assert codes(9, password=PASSWORD) == [200] * 9
    assert codes(4) == [401, 401, 401, 429]


def test_a_stranger_locks_nobody_out_of_where_they_sign_in(dora: Profile) -> None:
    assert tries(password=PASSWORD).status_code == 200
    assert codes(11, at=ELSEWHERE)[-1] == 429
    assert tries(password=PASSWORD, at=ELSEWHERE).status_code == 429
    assert tries(password=PASSWORD).status_code == 200
    # Being known there is no licence to guess.
    assert codes(11)[-1] == 429


def test_fifty_wrong_from_an_address_are_enough_whatever_the_names(dora: Profile) -> None:
    assert {tries(f"name{n}").status_code for n in range(50)} == {401}
    refused(tries("dora", PASSWORD), 429, "rate_limited")
    assert tries("dora", PASSWORD, at=ELSEWHERE).status_code == 200


def test_an_address_that_a_client_claims_is_not_looked_at(dora: Profile, configured: Any) -> None:
    configured(LIMIT_ADDRESS="3/minute")
    said = [tries(f"n{n}", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}") for n in range(4)]
    assert [one.status_code for one in said] == [401, 401, 401, 429]


@pytest.mark.parametrize(
    ("forwarded", "last"),
    [
        # Ours is the last that was written; what stands before it is the client's.
        ("203.0.113.{n}, 198.51.100.9", 429),
        ("198.51.100.9, 203.0.113.{n}", 401),
        # Some proxies add the port, which is another for each connection.
        ("198.51.100.9:500{n}", 429),
        ("[2001:db8::1]:500{n}", 429),
        ("[2001:db8::{n}]", 429),
        ("203.0.113.{n}:5000", 401),
    ],
)
def test_behind_a_proxy_only_its_own_word_counts(
    dora: Profile, configured: Any, forwarded: str, last: int
) -> None:
    configured(LIMIT_ADDRESS="3/minute", PROXIES=1)
    said = [tries(f"n{n}", HTTP_X_FORWARDED_FOR=forwarded.format(n=n)) for n in range(4)]
    assert said[-1].status_code == last


def test_fewer_hops_than_proxies_are_the_clients_own_words(dora: Profile, configured: Any) -> None:
    configured(LIMIT_ADDRESS="3/minute", PROXIES=2)
    said = [tries(f"n{n}", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}") for n in range(4)]
    assert said[-1].status_code == 429


def test_the_addresses_of_one_ipv6_network_are_one(dora: Profile, configured: Any) -> None:
    configured(LIMIT_ADDRESS="3/minute")
    assert [tries(f"n{n}", at=f"2001:db8::{n}").status_code for n in range(4)][-1] == 429
    assert tries(at="2001:db8:0:1::1").status_code == 401
    assert [tries(f"n{n}", at="::ffff:192.0.2.9").status_code for n in range(3)] == [401] * 3
    assert tries("n", at="192.0.2.9").status_code == 429


def test_registrations_of_an_address_are_limited(db: None, configured: Any) -> None:
    configured(LIMIT_REGISTER="2/hour")

    def register(name: str, at: str) -> Any:
        body = {"username": name, "password": PASSWORD}
        return APIClient().post("/api/auth/register/", body, REMOTE_ADDR=at)

    assert [register(f"n{n}", HERE).status_code for n in range(2)] == [201, 201]
    refused(register("n3", HERE), 429, "rate_limited")
    assert register("n3", ELSEWHERE).status_code == 201


def test_refresh_tokens_that_are_no_good_are_limited(
    dora: Profile, sign_in: SignIn, configured: Any
) -> None:
    configured(LIMIT_REFRESH="2/minute")
    token = sign_in().refresh
    for _ in range(5):
        answer = refresh(token)
        assert answer.status_code == 200
        token = answer.json()["refresh"]
    assert [refresh("x.y.z").status_code for _ in range(3)] == [401, 401, 429]
    assert refresh(token).status_code == 429


def test_without_the_store_nobody_signs_in_and_the_signed_in_stay(
    dora: Profile, sign_in: SignIn, configured: Any
) -> None:
    client = sign_in()
    # A port that is nobody's.
    configured(LIMITS_STORAGE="redis://127.0.0.1:1")
    refused(tries(password=PASSWORD), 503, "unavailable")
    refused(refresh(client.refresh), 503, "unavailable")
    register = APIClient().post("/api/auth/register/", {"username": "e", "password": PASSWORD})
    refused(register, 503, "unavailable")
    assert client.get("/api/users/me/").status_code == 200


def test_no_limit_is_one_too(dora: Profile, configured: Any) -> None:
    configured(LIMIT_ACCOUNT="", LIMIT_ADDRESS="")
    assert codes(60) == [401] * 60


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_all_counted(dora: Profile, configured: Any) -> None:
    from django.db import connection

    def attempt(_: int) -> int:
        try:
            return int(tries().status_code)
        finally:
            connection.close()

    configured(LIMIT_ACCOUNT="4/minute", LIMIT_SIGN_INS=None)
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(attempt, range(16)))
    assert sorted(said) == [401] * 4 + [429] * 12
