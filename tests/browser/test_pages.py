"""Swagger UI and the socket console, used as a developer uses them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.websocket.wire import PASSWORD, Caller

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def signed_in(page: Page, ann: Caller) -> None:
    """Open the console as ann, by name and password."""
    page.goto("/api/console/")
    page.get_by_label("Username").fill(ann.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"Connected as {ann.name}")


def frame(page: Page, type: str) -> Any:
    return page.locator(f'#frames li[data-type="{type}"]')


def test_swagger_ui_shows_the_document_from_our_own_address(page: Page, here: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", name="Parley", exact=False).first).to_be_visible()
    expect(page.locator(".opblock")).not_to_have_count(0)
    page.locator("#operations-messages-history_create").click()
    expect(page.get_by_text("Send a message to this room").first).to_be_visible()
    assert {urlsplit(url).netloc for url in asked if url.startswith("http")} == {here}


def test_swagger_ui_asks_as_whoever_pastes_a_token(page: Page, ann: Caller) -> None:
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("auth-bearer-value").fill(ann.token)
    page.get_by_label("auth-bearer-value").press("Enter")
    page.get_by_role("button", name="Close", exact=True).first.click()
    operation = page.locator("#operations-people-me_retrieve")
    operation.click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text(ann.name)


def test_a_message_is_sent_and_heard(page: Page, ann: Caller) -> None:
    room = ann.group()
    signed_in(page, ann)
    expect(frame(page, "hello")).to_have_count(1)
    page.get_by_label("Command", exact=True).select_option("message.send")
    text = page.get_by_label("Frame", exact=True)
    expect(text).to_have_value(re.compile('"type": "message.send"'))
    said = f'{{"type": "message.send", "ref": "c7", "room": "{room}", "text": "Two cups"}}'
    text.fill(said)
    text.press("Control+Enter")
    expect(frame(page, "done")).to_contain_text("Two cups")
    expect(frame(page, "message.sent")).to_contain_text("Two cups")
    frame(page, "message.sent").locator("summary").first.click()
    expect(frame(page, "message.sent").locator(".leaf").first).to_be_visible()


def test_the_session_of_the_site_is_enough_and_the_page_says_whose_it_is(
    page: Page, ann: Caller, complaints: list[str]
) -> None:
    page.goto("/api-auth/login/?next=/api/console/")
    page.get_by_label("Username").fill(ann.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Socket console")).to_be_visible()
    # DRF's own page of signing in names a source map that it does not have.
    complaints.clear()
    expect(page.locator("#session")).to_contain_text(f"signed in to this site as {ann.name}")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"Connected as {ann.name}")


def test_nobody_is_named_where_nobody_is_signed_in(page: Page) -> None:
    page.goto("/api/console/")
    expect(page.locator("#session")).to_have_count(0)
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Name yourself, or paste an access token.")).to_be_visible()


def test_a_removal_is_seen_live_by_the_name_of_the_room(page: Page, ann: Caller) -> None:
    owner = Caller.registered(ann.address, f"{ann.name}s-host")
    rooms = {one: owner.group("private", ann) for one in ("known", "joined")}
    signed_in(page, ann)
    rooms["joined"] = owner.group("private", ann)
    expect(frame(page, "room.joined")).to_contain_text("Tea")
    for room in rooms.values():
        owner.call("DELETE", f"groups/{room}/members/{ann.id}/")
    expect(frame(page, "room.left")).to_have_count(2)
    joined, known = frame(page, "room.left").all()
    expect(joined.locator(".what")).to_contain_text(f"Tea · by {owner.name}")
    # Of one that was there before the page was, only the id is known.
    expect(known.locator(".what")).to_contain_text(rooms["known"])


def test_hostile_text_stays_text(page: Page, ann: Caller) -> None:
    room = ann.group()
    signed_in(page, ann)
    ann.says(room, HOSTILE)
    heard = frame(page, "message.sent")
    expect(heard.locator(".what")).to_have_text(HOSTILE)
    heard.locator("summary").first.click()
    expect(heard).to_contain_text("onerror")
    assert page.locator("#frames img, #frames script").count() == 0
    assert page.title() == "Socket console · Parley"


def test_a_filter_hides_the_rest(page: Page, ann: Caller) -> None:
    room = ann.group()
    signed_in(page, ann)
    ann.says(room, "Milk first")
    expect(frame(page, "message.sent")).to_be_visible()
    page.get_by_label("Filter frames").fill("milk")
    expect(frame(page, "hello")).to_be_hidden()
    expect(frame(page, "message.sent")).to_be_visible()


def test_there_is_no_connecting_before_the_catalogue_is_read(page: Page) -> None:
    held: list[Any] = []
    page.route("**/asyncapi/", lambda route: held.extend([route]))
    page.goto("/api/console/")
    button = page.get_by_role("button", name="Connect", exact=True)
    expect(button).to_be_disabled()
    held[0].continue_()
    expect(button).to_be_enabled()


def test_a_lost_line_is_resumed(page: Page, ann: Caller) -> None:
    """The browser's own socket is cut under it; what was said meanwhile is told when it is back."""
    room = ann.group()
    sockets: list[Any] = []
    page.route_web_socket(
        "**/ws/", lambda route: (sockets.append(route), route.connect_to_server())
    )
    signed_in(page, ann)
    sockets[0].close(code=1012, reason="")
    expect(page.get_by_role("status")).to_contain_text("Closed, 1012: the server is leaving")
    ann.says(room, "While you were out")
    expect(page.get_by_role("status")).to_have_text(f"Connected as {ann.name}")
    expect(frame(page, "message.sent")).to_contain_text("While you were out")
    expect(frame(page, "resumed").first).to_be_attached()


def test_a_wrong_token_is_said_with_its_code(page: Page) -> None:
    page.goto("/api/console/")
    page.get_by_label("Access token").fill("nothing-of-the-kind")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Closed, 4401: not signed in")
    expect(frame(page, "failed")).to_contain_text("unauthenticated")


def test_what_is_no_json_is_not_sent(page: Page, ann: Caller) -> None:
    signed_in(page, ann)
    page.get_by_label("Frame", exact=True).fill("{")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#wrong")).to_contain_text("This is not JSON")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/api/console/", "/api/docs/"])
def test_nothing_sticks_out(page: Page, ann: Caller, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(path)
    expect(page.locator("option, .opblock").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
