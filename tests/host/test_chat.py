"""The chat in the host: beside the host's ways, and inside its transactions."""

from __future__ import annotations

from typing import Any

import pytest
from accounts.models import Account
from django.db import connections, transaction
from django.test import Client
from jwt import decode
from rest_framework_simplejwt.tokens import AccessToken

from chat.actions.people import register_person
from chat.conf import token_settings
from chat.errors import Conflict
from chat.events import database
from chat.models import Message, Profile

pytestmark = pytest.mark.django_db(databases="__all__")

# What Django and SQLite keep for themselves in any database.
OF_DJANGO = {"django_migrations", "sqlite_sequence"}


def claims(token: str) -> dict[str, Any]:
    return dict(decode(token, options={"verify_signature": False}))


@pytest.fixture
def chatting(account: Any) -> Any:
    """Sign in as the chat does, and return the tokens."""

    def sign(name: str) -> dict[str, str]:
        one = account(name)
        body = {"email": one.email, "password": "a long walk home"}
        answer = Client().post("/chat/auth/token/", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    return sign


def test_two_lifetimes_two_keys_one_process(account: Any, chatting: Any) -> None:
    """F11."""
    mine, theirs = claims(chatting("ann")["access"]), AccessToken.for_user(account("bob"))
    assert mine["exp"] - mine["iat"] == 300
    assert theirs["exp"] - theirs["iat"] == 7 * 3600
    assert (mine["iss"], mine["aud"]) == ("parley", "parley")


def test_neither_takes_the_others_tokens(account: Any, chatting: Any) -> None:
    ours = Client(headers={"authorization": f"Host {chatting('ann')['access']}"})
    assert ours.get("/orders/").status_code == 401
    theirs = AccessToken.for_user(account("bob"))
    assert (
        Client(headers={"authorization": f"Bearer {theirs}"}).get("/chat/rooms/").status_code == 401
    )


def test_a_host_need_not_say_it_twice(settings: Any) -> None:
    """F10: what the host says wins; what it does not say of the chat is what it said of its own tokens."""
    said = settings.SIMPLE_JWT
    settings.CHAT = {**settings.CHAT, "JWT": {}}
    assert token_settings()["SIGNING_KEY"] == said["SIGNING_KEY"]
    assert token_settings()["ACCESS_TOKEN_LIFETIME"] == said["ACCESS_TOKEN_LIFETIME"]
    settings.CHAT = {**settings.CHAT, "JWT": {"AUDIENCE": "us"}}
    assert token_settings()["AUDIENCE"] == "us"
    settings.SIMPLE_JWT = {**said, "ALGORITHM": "RS256", "VERIFYING_KEY": "public"}
    settings.CHAT = {**settings.CHAT, "JWT": {"SIGNING_KEY": "mine"}}
    assert token_settings()["ALGORITHM"] == "HS256"
    assert not token_settings()["VERIFYING_KEY"]


def test_the_chats_own_views_are_as_documented(account: Any, signed_in: Any) -> None:
    """F12: in JSON without the host's envelope, for who does not pay as well, in pages of the chat's size."""
    ann = account("ann")
    client = signed_in(ann)
    ann.pays = False
    ann.save()
    body = {"title": "Tea", "visibility": "public"}
    made = client.post("/chat/groups/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    for number in range(3):
        says = {"text": f"cup {number}"}
        path = f"/chat/rooms/{made.json()['id']}/messages/"
        assert client.post(path, says, content_type="application/json").status_code == 201
    assert len(client.get(path).json()["results"]) == 3
    assert client.get("/chat/no/such/").json()["code"] == "not_found"
    assert Client().get("/chat/rooms/").json()["code"] == "unauthenticated"


FORM = {"content_type": "application/x-www-form-urlencoded"}


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_parcel_is_told_of_when_it_left_and_not_when_it_did_not(
    account: Any, signed_in: Any, chat_person: Any, chat_room: Any, chat_socket: Any
) -> None:
    """In a request with ATOMIC_REQUESTS: on its commit the message goes out; rolled back there is none."""
    ann, bob = account("ann"), account("bob")
    room = chat_room(ann, bob)
    client = signed_in(ann)
    path = f"/orders/shipped/{room.pk}/"
    with chat_socket(bob) as socket:
        assert client.post(path, "text=lost&lost=1", **FORM).status_code == 400
        assert client.post(path, "text=left", **FORM).status_code == 201
        heard = socket.hear("message.sent")
    assert heard["message"]["text"] == "left"
    assert [one["message"]["text"] for one in socket.heard if one["type"] == "message.sent"] == [
        "left"
    ]
    assert list(Message.objects.values_list("text", flat=True)) == ["left"]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_socket_signs_in_with_the_hosts_token_or_the_chats(
    account: Any, chatting: Any, chat_socket: Any
) -> None:
    with chat_socket(token=chatting("ann")["access"]) as socket:
        assert socket.ask("ping")["type"] == "done"


def test_under_a_tests_own_transaction_hooks_run(
    settings: Any, account: Any, chat_person: Any, chat_room: Any, chat_on_commit: None
) -> None:
    from django.db import transaction

    from chat.actions.sending import Draft, send_message

    heard: list[Any] = []
    settings.CHAT = {**settings.CHAT, "OUTLETS": [heard.extend]}
    ann = chat_person(account("ann"))
    room = chat_room(ann, chat_person("bob"), title="Tea")
    heard.clear()
    with transaction.atomic(using=database()):
        send_message(Draft(ann, room.pk, "one"))
        assert heard == []
    assert [one.type for one in heard] == ["message.sent"]
    with transaction.atomic(using=database()):
        send_message(Draft(ann, room.pk, "two"))
        transaction.set_rollback(True, using=database())
    assert len(heard) == 1
    transaction.on_commit(lambda: heard.append("at once"))
    assert heard[-1] == "at once"


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_an_accounts_end_leaves_the_person(account: Any, chat_person: Any, chat_room: Any) -> None:
    """Also where accounts are in another database, and not if the deletion is rolled back."""
    ann, bob = account("ann"), account("bob")
    person, heir = chat_person(ann), chat_person(bob)
    room = chat_room(person, heir)
    with transaction.atomic():
        Account.objects.get(pk=ann.pk).delete()
        transaction.set_rollback(True)
    assert Profile.objects.get(pk=person.pk).user == ann
    Account.objects.get(pk=ann.pk).delete()
    gone = Profile.objects.get(pk=person.pk)
    assert gone.deleted_at
    assert gone.user_id is None
    assert list(room.memberships.values_list("user", "role")) == [(heir.pk, "owner")]


def by_post(path: str, **body: str) -> Any:
    return Client().post(f"/chat/auth/{path}/", body, content_type="application/json")


def test_people_register_and_sign_in_by_address(settings: Any) -> None:
    shown = {"username": "", "display_name": "Dora Day"}
    settings.CHAT = {**settings.CHAT, "PROFILE": lambda user: shown, "LIMIT_REGISTER": "99/hour"}
    credentials = {"email": "dora@example.org", "password": "a long walk home"}
    made = by_post("register", **credentials)
    assert made.status_code == 201, made.content
    assert made.json()["username"].startswith("user-")
    assert made.json()["display_name"] == "Dora Day"
    assert by_post("token", **credentials).status_code == 200
    named = {"username": credentials["email"], "password": credentials["password"]}
    assert by_post("token", **named).status_code == 200
    taken = by_post("register", **credentials | {"email": "DORA@example.org", "username": "eve"})
    assert (taken.status_code, taken.json()["detail"]) == (409, "This e-mail address is in use.")
    assert set(taken.json()["fields"]) == {"email"}
    missing = by_post("register", username="admin", password="a long walk home")
    assert set(missing.json()["fields"]) == {"username", "email"}
    named = by_post("register", **credentials | {"email": "e@example.org", "username": "eve"})
    assert named.json()["username"] == "eve"


def test_a_name_taken_meanwhile_leaves_no_account(settings: Any, chat_person: Any) -> None:
    """Also where accounts are in another database: the two are not one transaction, but undone in one order."""

    def quicker(account: Any) -> dict[str, str]:
        chat_person("ann")
        return {}

    settings.CHAT = {**settings.CHAT, "PROFILE": quicker}
    with pytest.raises(Conflict):
        register_person(username="ann", password="a long walk home", email="ann@example.org")
    assert not Account.objects.exists()
    assert not Profile.objects.exists()


def test_the_chats_tables_are_where_they_are_to_be() -> None:
    """F14: apart from everything else, or beside it."""
    tables = {each.alias: set(each.introspection.table_names()) for each in connections.all()}
    ours = {Profile._meta.db_table, Message._meta.db_table, "chat_event", "chat_room"}
    assert ours <= tables[database()]
    if "chat" in tables:
        assert database() == "chat"
        assert not {name for name in tables["default"] if name.startswith("chat_")}
        assert {name for name in tables["chat"] if not name.startswith("chat_")} <= OF_DJANGO
