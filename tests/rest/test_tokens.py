"""Tokens: what is signed, unexpired, meant for this service and names a living device, and nothing else."""

from __future__ import annotations

import hmac
import json
import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chat.conf import token_settings
from chat.models import Device, Profile
from chat.rest.auth.authentication import DeviceAuthentication
from tests.rest.conftest import SignIn, refresh, refused, with_token

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def signed(claims: dict[str, Any]) -> str:
    """Sign any claims, also those that the library would not."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), token_settings()["SIGNING_KEY"], "HS256")


def good_claims(kind: str = "access") -> dict[str, Any]:
    now = int(time.time())
    return {
        "token_type": kind,
        "sid": str(Device.objects.get().pk),
        "jti": uuid4().hex,
        "iat": now,
        "exp": now + 60,
        "iss": token_settings()["ISSUER"],
        "aud": token_settings()["AUDIENCE"],
    }


def test_an_expired_token_says_so_and_a_forged_one_does_not(dora: Profile, sign_in: SignIn) -> None:
    sign_in()
    old = {**good_claims(), "exp": int(time.time()) - 3600}
    answer = with_token(signed(old)).get("/api/users/me/")
    refused(answer, 401, "token_expired")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    forged = jwt.encode(old, "another key, as long as the real one: 0123456789", "HS256")
    refused(with_token(forged).get("/api/users/me/"), 401, "unauthenticated")
    refused(refresh(signed({**old, "token_type": "refresh"})), 401, "token_expired")


ODD: list[Any] = [
    None,
    {},
    [],
    {"a": 1},
    [[]],
    True,
    0,
    -1,
    1e300,
    10**30,
    "",
    "x",
    "\x00",
    "é" * 99,
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("claim", ["sid", "jti", "exp", "iat", "nbf", "iss", "aud", "token_type"])
def test_a_signed_claim_of_an_odd_type_is_refused(
    dora: Profile, sign_in: SignIn, claim: str, odd: Any
) -> None:
    sign_in()
    assert with_token(signed(good_claims())).get("/api/users/me/").status_code == 200
    answers = [
        with_token(signed({**good_claims(), claim: odd})).get("/api/users/me/"),
        refresh(signed({**good_claims("refresh"), claim: odd})),
    ]
    # A moment in the past is a good one to be issued at; the refresh token still is not the device's.
    past = claim in {"nbf", "iat"} and odd in (True, 0, -1)
    assert [answer.status_code for answer in answers] == [200 if past else 401, 401]


@pytest.mark.parametrize("claim", ["sid", "jti", "exp", "iss", "aud", "token_type"])
def test_a_token_without_a_claim_is_refused(dora: Profile, sign_in: SignIn, claim: str) -> None:
    sign_in()
    claims = good_claims()
    del claims[claim]
    refused(with_token(signed(claims)).get("/api/users/me/"), 401, "unauthenticated")


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "another project"},
        {"aud": "another project"},
        {"token_type": "refresh"},
        {"nbf": time.time() + 3600},
        {"iat": time.time() + 3600},
        {"sid": str(uuid4())},
    ],
    ids=repr,
)
def test_a_token_for_something_else_is_refused(
    dora: Profile, sign_in: SignIn, change: dict[str, Any]
) -> None:
    sign_in()
    token = signed({**good_claims(), **change})
    refused(with_token(token).get("/api/users/me/"), 401, "unauthenticated")


def test_access_and_refresh_tokens_do_not_stand_in_for_each_other(
    dora: Profile, sign_in: SignIn
) -> None:
    client = sign_in()
    refused(with_token(client.refresh).get("/api/users/me/"), 401, "unauthenticated")
    refused(refresh(client.access), 401, "unauthenticated")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "a b", "é", "[" * 3000, "eyJhbGciOiJub25lIn0.e30.", "\x00"]
)
def test_a_header_that_is_no_token_is_refused(db: None, token: str) -> None:
    refused(with_token(token).get("/api/users/me/"), 401, "unauthenticated")


def test_a_token_whose_header_nests_without_end_is_refused(db: None) -> None:
    deep = jwt.utils.base64url_encode(b"[" * 5000 + b"]" * 5000).decode()
    refused(with_token(f"{deep}.e30.e30").get("/api/users/me/"), 401, "unauthenticated")


def crafted(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Sign with our own key, whatever the header says of how and with what."""
    parts = (
        json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT", **header}, claims)
    )
    body = b".".join(jwt.utils.base64url_encode(part) for part in parts)
    signature = hmac.digest(token_settings()["SIGNING_KEY"].encode(), body, "sha256")
    return (body + b"." + jwt.utils.base64url_encode(signature)).decode()


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": "HS512"},
        {"alg": "None"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["HS256"]},
        {"kid": 7},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
    ],
    ids=repr,
)
def test_a_header_that_claims_another_way_of_signing_is_refused(
    dora: Profile, sign_in: SignIn, header: dict[str, Any]
) -> None:
    """Also an asymmetric one over a signature by our secret: the algorithm is ours to say, not the token's."""
    sign_in()
    assert with_token(crafted({}, good_claims())).get("/api/users/me/").status_code == 200
    refused(
        with_token(crafted(header, good_claims())).get("/api/users/me/"), 401, "unauthenticated"
    )


@pytest.mark.parametrize("named", ["kid", "jku", "jwk", "x5u", "x5c"])
def test_a_key_that_a_token_brings_along_is_not_used(
    dora: Profile, sign_in: SignIn, named: str
) -> None:
    sign_in()
    key = "a key of the one who made this token: 0123456789"
    brought: dict[str, Any] = {
        "kid": "../../../../dev/null",
        "jku": "https://example.evil/keys.json",
        "jwk": {"kty": "oct", "k": jwt.utils.base64url_encode(key.encode()).decode()},
        "x5u": "https://example.evil/cert.pem",
        "x5c": ["bm8gY2VydGlmaWNhdGU="],
    }
    headers = {named: brought[named]}
    for secret in (key, ""):
        body = jwt.PyJWS().encode(b"{}", secret or "-" * 32, "HS256", headers=headers)
        head = body.split(".")[0]
        claims = jwt.utils.base64url_encode(json.dumps(good_claims()).encode()).decode()
        signed_by = hmac.digest(secret.encode(), f"{head}.{claims}".encode(), "sha256")
        token = f"{head}.{claims}.{jwt.utils.base64url_encode(signed_by).decode()}"
        refused(with_token(token).get("/api/users/me/"), 401, "unauthenticated")


def test_a_token_that_would_live_longer_than_any_of_ours_is_refused(
    dora: Profile, sign_in: SignIn
) -> None:
    client = sign_in()
    for days, status in ((0, 200), (1, 401), (3650, 401), (10**9, 401)):
        claims = good_claims()
        claims["exp"] += days * 86_400
        assert with_token(signed(claims)).get("/api/users/me/").status_code == status, days
    own = jwt.decode(client.refresh, options={"verify_signature": False})
    refused(refresh(signed({**own, "exp": own["exp"] + 86_400})), 401, "unauthenticated")
    assert refresh(client.refresh).status_code == 200


def test_a_token_that_was_cut_or_changed_is_refused(dora: Profile, sign_in: SignIn) -> None:
    client = sign_in()
    head, body, signature = client.access.split(".")
    for token in (
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body[:-4]}.{signature}",
        f"{head}.{body}.{signature[::-1]}",
    ):
        refused(with_token(token).get("/api/users/me/"), 401, "unauthenticated")


@pytest.mark.parametrize("algorithm", ["none", "HS384"])
def test_another_algorithm_is_refused(dora: Profile, sign_in: SignIn, algorithm: str) -> None:
    sign_in()
    key = None if algorithm == "none" else token_settings()["SIGNING_KEY"]
    token = jwt.encode(good_claims(), key, algorithm=algorithm)
    refused(with_token(token).get("/api/users/me/"), 401, "unauthenticated")


@pytest.mark.parametrize("odd", ["a.b.c", "", None, 7, {"a": 1}, "\x00", "x" * 5000])
def test_an_odd_refresh_token_is_refused(db: None, odd: Any) -> None:
    assert refresh(odd).status_code in {400, 401}


def test_a_handshakes_headers_are_enough(dora: Profile, sign_in: SignIn) -> None:
    def handshake(**headers: str) -> Request:
        request = HttpRequest()
        request.META.update(headers)
        return Request(request, authenticators=[DeviceAuthentication()])

    client = sign_in()
    claims = jwt.decode(client.access, options={"verify_signature": False})
    known = handshake(HTTP_AUTHORIZATION=f"Bearer {client.access}")
    assert known.user == dora.user
    assert (known.auth.device, known.auth.expires_at) == (UUID(claims["sid"]), claims["exp"])
    assert handshake().auth is None
    with pytest.raises(AuthenticationFailed) as refusal:
        _ = handshake(HTTP_AUTHORIZATION="Bearer rotten").user
    assert refusal.value.get_codes() == "unauthenticated"
