"""The browsable API: every path opens in a browser, and what it writes has a form."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from chat.actions.bans import ban_member
from chat.models import Message, Profile, Room
from tests.scene import say

pytestmark = [pytest.mark.django_db, pytest.mark.once]

# Each path, the status of opening it, and a field of the form that it shows.
PAGES = [
    ("", 200, None),
    ("users/me/", 200, "display_name"),
    ("users/", 200, None),
    ("rooms/", 200, None),
    ("rooms/{room}/", 200, "slow_mode"),
    ("rooms/{room}/messages/", 200, 'name="text"'),
    ("rooms/{room}/read/", 405, 'name="seq"'),
    ("rooms/{room}/unread/", 405, 'name="seq"'),
    ("rooms/{room}/me/", 405, "pinned"),
    ("rooms/{room}/log/", 200, None),
    ("groups/", 200, 'name="title"'),
    ("groups/?search=", 200, 'name="title"'),
    ("groups/{room}/", 200, "slow_mode"),
    ("groups/{room}/join/", 405, "POST"),
    ("groups/{room}/leave/", 405, "POST"),
    ("groups/{room}/members/", 200, 'name="role"'),
    ("groups/{room}/members/{ann}/", 200, "muted_until"),
    ("groups/{room}/bans/", 200, 'name="reason"'),
    ("groups/{room}/bans/{cat}/", 200, "DELETE"),
    ("direct/", 200, 'name="user"'),
    ("messages/", 405, 'name="room"'),
    ("messages/{message}/", 200, "text"),
    ("messages/{message}/pin/", 405, "POST"),
    ("rooms/{room}/pins/", 200, None),
    ("sync/", 405, "cursors"),
    ("auth/register/", 405, 'type="password"'),
    ("auth/token/", 405, 'type="password"'),
    ("auth/token/refresh/", 405, 'name="refresh"'),
    ("auth/logout/", 405, "POST"),
    ("auth/devices/", 200, "DELETE"),
    ("nowhere/", 404, None),
]


@pytest.mark.parametrize(("path", "status", "form"), PAGES)
def test_a_page_opens_with_its_form(
    client: Client,
    ann: Profile,
    cat: Profile,
    group: Room,
    path: str,
    status: int,
    form: str | None,
) -> None:
    client.force_login(ann.user)
    ban_member(ann, group.pk, cat.pk)
    filled = path.format(room=group.pk, ann=ann.pk, cat=cat.pk, message=say(ann, group).pk)
    answer = client.get(f"/api/{filled}", HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert form is None or form in answer.content.decode()


def test_the_root_leads_to_the_lists_and_opens_to_anyone(client: Client, db: None) -> None:
    links = client.get("/api/").json()
    assert links["rooms"] == "http://testserver/api/rooms/"
    documents = {"schema", "docs", "asyncapi", "console"}
    assert links.keys() == {"me", "users", "rooms", "groups", "direct"} | documents
    assert links["schema"] == "http://testserver/api/schema/"
    assert {client.get(links[name]).status_code for name in documents} == {200}


def test_a_form_writes(client: Client, ann: Profile, cat: Profile, group: Room) -> None:
    client.force_login(ann.user)
    form = {"id": "", "text": "Ahoy", "reply_to": ""}
    answer = client.post(f"/api/rooms/{group.pk}/messages/", form, HTTP_ACCEPT="text/html")
    assert answer.status_code == 201
    assert "Ahoy" in client.get(f"/api/rooms/{group.pk}/messages/").content.decode()
    form = {"id": "", "title": "Boats", "visibility": "public", "topic": "", "history": "all"}
    assert client.post("/api/groups/", form, HTTP_ACCEPT="text/html").status_code == 201
    form = {"user": str(cat.pk), "reason": "Spam."}
    bans = f"/api/groups/{group.pk}/bans/"
    assert client.post(bans, form, HTTP_ACCEPT="text/html").status_code == 201
    page = client.get(bans, HTTP_ACCEPT="text/html").content.decode()
    assert f'href="{bans}{cat.pk}/"' in page


def test_a_page_of_refusals_opens_too(client: Client, ann: Profile, group: Room) -> None:
    assert client.get("/api/users/me/", HTTP_ACCEPT="text/html").status_code == 401
    client.force_login(ann.user)
    path = f"/api/rooms/{group.pk}/messages/"
    for body in ("{", "[1]", '{"text": 7}', '{"text": "\\ud800"}', "[" * 100_000):
        answer = client.post(path, body, content_type="application/json", HTTP_ACCEPT="text/html")
        assert answer.status_code in {201, 400}
        assert answer["Content-Type"].startswith("text/html")


HTML = {"HTTP_ACCEPT": "text/html"}


def shown(client: Client, path: str) -> str:
    return client.get(f"/api/{path}", **HTML).content.decode()


def test_a_newcomer_is_shown_the_ways_in(client: Client, db: None) -> None:
    for page in (shown(client, ""), shown(client, "rooms/")):
        assert 'href="/api/auth/register/">Make an account</a>' in page
    assert "Log in" in shown(client, "rooms/")
    login = client.get("/api-auth/login/").content.decode()
    assert 'href="/api/auth/register/"' in login
    password = re.search("<input[^>]*name=.password.[^>]*>", shown(client, "auth/register/"))
    assert password
    assert 'type="password"' in password[0]


def test_who_is_in_is_not_asked_to_log_in(client: Client, ann: Profile, group: Room) -> None:
    client.force_login(ann.user)
    for path in ("", "rooms/", "auth/register/", "nowhere/", f"groups/{group.pk}/join/"):
        page = shown(client, path)
        assert "Log in" not in page
        assert "Log ann out" in page
    assert 'href="/api/auth/devices/"' in shown(client, "")


def test_other_peoples_rooms_are_found_by_clicking(
    client: Client, cat: Profile, group: Room
) -> None:
    client.force_login(cat.user)
    for path in ("", "rooms/", "groups/"):
        assert 'href="/api/groups/?search="' in shown(client, path)
    assert f'href="/api/rooms/{group.pk}/">Harbour</a>' in shown(client, "groups/?search=")
    assert f'href="/api/groups/{group.pk}/join/">Join</a>' in shown(client, f"rooms/{group.pk}/")


def test_lists_that_can_be_searched_have_a_form(
    client: Client, ann: Profile, bob: Profile, group: Room
) -> None:
    client.force_login(ann.user)
    for path in ("users/", "rooms/", "groups/?search=%22Har"):
        page = shown(client, path)
        assert 'name="search"' in page
        assert ('value="&quot;Har"' in page) == ("Har" in path)
    for path in ("", "direct/", "users/me/", f"groups/{group.pk}/members/", "nowhere/"):
        assert 'name="search"' not in shown(client, path)
    assert f"bob · {bob.pk}" in shown(client, "users/?search=bo")


def test_what_was_made_is_linked_to(client: Client, ann: Profile, group: Room) -> None:
    client.force_login(ann.user)
    form = {"title": "Boats", "visibility": "private"}
    page = client.post("/api/groups/", form, **HTML).content.decode()
    room = Room.objects.get(title="Boats")
    assert f'href="/api/rooms/{room.pk}/messages/">Boats</a>' in page
    page = client.post(f"/api/rooms/{group.pk}/messages/", {"text": "Ahoy"}, **HTML)
    message = Message.objects.get(text="Ahoy")
    assert f'href="/api/messages/{message.pk}/">{message.seq} · Ahoy</a>' in page.content.decode()


def test_forms_choose_nothing_bold_and_say_where_ids_are(
    client: Client, ann: Profile, group: Room
) -> None:
    client.force_login(ann.user)
    members = shown(client, f"groups/{group.pk}/members/")
    assert re.search('<option value="member" selected', members)
    assert not re.search('<option value="owner" selected', members)
    assert re.search('<option value="private" selected', shown(client, "groups/"))
    for path in (f"groups/{group.pk}/members/", f"groups/{group.pk}/bans/", "direct/"):
        page = shown(client, path)
        assert 'href="/api/users/?search="' in page
        assert "The id of a person" in page


def test_a_page_that_is_not_there_offers_nothing(client: Client, ann: Profile) -> None:
    client.force_login(ann.user)
    page = shown(client, "nowhere/")
    assert "<h1>Not found</h1>" in page
    assert "Report that nothing is found at this path." in page
    assert not re.search("DELETE|POST|PATCH|OPTIONS", page)


def test_a_page_that_only_does_something_says_so(client: Client, ann: Profile, group: Room) -> None:
    client.force_login(ann.user)
    page = shown(client, f"groups/{group.pk}/join/")
    assert "Join a public group as a member." in page
    assert "The form below does it; there is nothing to read here." in page
    assert 'class="chat-only-done"' in page
    done = client.post(f"/api/groups/{group.pk}/join/", **HTML).content.decode()
    assert "chat-only-done" not in done


def test_what_a_page_says_is_shown_as_meant(client: Client, ann: Profile) -> None:
    client.force_login(ann.user)
    page = shown(client, "groups/")
    assert "With <code>search</code>, even an" in page
    assert "`search`" not in page


def test_a_site_of_tokens_alone_says_how_to_get_in(
    client: Client, ann: Profile, configured: Any
) -> None:
    configured(AUTHENTICATION=["chat.rest.auth.authentication.DeviceAuthentication"])
    client.force_login(ann.user)
    page = shown(client, "rooms/")
    assert "takes a token" in page
    assert 'href="/api/auth/token/"' in page
    assert "SessionAuthentication" in page
    # What Django's session says is not what these pages go by.
    assert "Log ann out" not in page
    assert "Log in" not in page


def test_the_welcome_leads_to_the_pages_that_are_served(client: Client, db: None) -> None:
    page = client.get("/").content.decode()
    for path in ("/api/", "/api/docs/", "/api/console/", "/admin/"):
        assert f'href="{path}"' in page
        assert client.get(path).status_code in {200, 302}
