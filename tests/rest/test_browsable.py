"""The browsable API: every path opens in a browser, and what it writes has a form."""

from __future__ import annotations

import pytest
from django.test import Client

from chat.actions.bans import ban_member
from chat.models import Profile, Room
from tests.scene import say

pytestmark = pytest.mark.django_db

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
