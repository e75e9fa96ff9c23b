"""A newcomer does the whole of a chat by clicking through the API."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.websocket.wire import PASSWORD, Caller


def test_from_the_root_to_a_message_read(page: Page, ann: Caller, complaints: list[str]) -> None:
    bob = Caller.registered(ann.address, f"{ann.name}s-friend")
    room = page.get_by_role("navigation", name="Of this room")
    page.goto("/api/")
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Username").fill(ann.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    # DRF's own page of signing in names no icon, so the browser looks for one in vain.
    complaints.clear()
    # A group of one's own.
    page.get_by_role("link", name="/api/groups/").click()
    form = page.locator("form:has([name=title])")
    form.locator("[name=title]").fill("Tea")
    form.get_by_role("button", name="POST").click()
    expect(page.locator(".response-info")).to_contain_text("201 Created")
    page.goto("/api/rooms/")
    page.get_by_role("link", name="Tea", exact=True).click()
    expect(page.get_by_role("heading", name="Messages")).to_be_visible()
    # Someone else comes in.
    room.get_by_role("link", name="Members", exact=True).click()
    form = page.locator("form:has([name=role])")
    form.locator("[name=user]").fill(bob.id)
    form.get_by_role("button", name="POST").click()
    expect(page.locator(".response-info")).to_contain_text("201 Created")
    # Something is said, and read.
    room.get_by_role("link", name="Messages", exact=True).click()
    form = page.locator("form:has([name=text])")
    form.locator("[name=text]").fill("Two cups, please.")
    form.get_by_role("button", name="POST").click()
    expect(page.locator(".response-info")).to_contain_text("201 Created")
    room.get_by_role("link", name="Messages", exact=True).click()
    expect(page.get_by_role("link", name="Two cups, please.")).to_be_visible()
    # The page of a thing that is only written answers 405 to being opened, which the browser notes.
    complaints.clear()
    room.get_by_role("link", name="Read up to").click()
    page.locator("[name=seq]").fill("3")
    page.get_by_role("button", name="POST").last.click()
    expect(page.locator(".response-info")).to_contain_text('"read_seq": 3')
    assert all("405" in one for one in complaints), complaints
    complaints.clear()
    page.get_by_role("button", name="Log").first.click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    # And signed out one is told so, by a status that the browser notes as well.
    assert all("401" in one or "405" in one for one in complaints), complaints
    complaints.clear()
