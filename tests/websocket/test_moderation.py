"""What staff do in the admin of one process is heard at once on sockets of another."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import httpx2
import pytest

from tests.live.processes import SetUp, manage
from tests.websocket.wire import PASSWORD, WITHIN, Caller, greeted

_numbers = count(1)
WHY = "Reported by three people."


class Browser:
    """A superuser who is signed in to the admin of one process, and posts forms as a browser does."""

    def __init__(self, setup: SetUp, address: str) -> None:
        username = f"mira{next(_numbers)}"
        account = {
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "DJANGO_SUPERUSER_USERNAME": username,
            "DJANGO_SUPERUSER_EMAIL": "mira@example.org",
        }
        manage({**setup.environment, **account}, "createsuperuser", "--noinput")
        self.http = httpx2.Client(
            base_url=f"http://{address}", trust_env=False, timeout=WITHIN, follow_redirects=False
        )
        self.post("login/", {"username": username, "password": PASSWORD})
        # Staff do not show what they sign in with.
        self.handle = self.get("/api/users/me/").json()["username"]
        assert self.handle != username

    def post(self, path: str, fields: dict[str, str]) -> httpx2.Response:
        """Fetch a page, and post its form with the token that stands in it; success redirects."""
        url = f"/admin/{path}"
        page = self.get(url)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        form = {**fields, "csrfmiddlewaretoken": token[1]}
        answer = self.http.post(url, data=form, headers=self._cookies())
        assert answer.status_code == 302, answer.text[:500]
        return answer

    def get(self, url: str) -> httpx2.Response:
        return self.http.get(url, headers=self._cookies())

    def _cookies(self) -> dict[str, str]:
        # By hand, because they are for TLS only and servers under test speak without it.
        held = "; ".join(f"{one.name}={one.value}" for one in self.http.cookies.jar)
        return {"Cookie": held} if held else {}

    def act(self, table: str, action: str, key: Any) -> None:
        """Do an act to one row."""
        fields = {"action": action, "_selected_action": str(key), "reason": WHY}
        self.post(f"chat/{table}/", fields)

    def seat(self, room: str, person: str) -> str:
        """The key of a membership, from the list of the room's members."""
        query = f"room__id__exact={room}&user__id__exact={person}"
        page = self.get(f"/admin/chat/membership/?{query}").text
        found = re.search(r'name="_selected_action" value="(\d+)"', page)
        assert found, page[:500]
        return found[1]


@pytest.fixture
def mira(setup: SetUp, here: str) -> Iterator[Browser]:
    browser = Browser(setup, here)
    yield browser
    browser.http.close()


def test_a_suspension_holds_on_open_sockets_of_every_process(
    mira: Browser, ann: Caller, bob: Caller, here: str, there: str
) -> None:
    room = ann.group("private", bob)
    own = bob.says(room, "Mine.")["id"]

    async def scene() -> None:
        async with greeted(here, bob.token) as one, greeted(there, bob.token) as other:
            assert one.of("hello")[0]["user"]["suspended"] is None
            await one.ask("message.send", room=room, text="Once.")
            await asyncio.to_thread(mira.act, "profile", "suspend_people", bob.id)
            for wire in (one, other):
                sent = await wire.ask("message.send", room=room, text="Twice.")
                edited = await wire.ask("message.edit", message=own, text="Otherwise.")
                for answer in (sent, edited):
                    error = answer["error"]
                    assert (error["code"], error["reason"]) == ("forbidden", "suspended")
                assert (await wire.ask("room.read", room=room, seq=1))["type"] == "done"
                if not wire.of("profile.updated"):
                    await wire.hear("profile.updated")
                told = wire.of("profile.updated")[-1]
                assert told["user"]["suspended"] == {"until": None, "reason": WHY}
            async with greeted(there, bob.token) as late:
                assert late.of("hello")[0]["user"]["suspended"]["reason"] == WHY
            await asyncio.to_thread(mira.act, "profile", "lift_suspensions", bob.id)
            assert (await other.ask("message.send", room=room, text="Again."))["type"] == "done"

    asyncio.run(scene())


def test_an_act_in_the_admin_is_heard_at_once(
    mira: Browser, ann: Caller, bob: Caller, there: str
) -> None:
    room = ann.group("private", bob)
    foul = ann.says(room, "Something foul.")

    async def scene() -> None:
        async with (
            greeted(there, bob.token) as b,
            greeted(there, bob.token, f"/ws/rooms/{room}/") as one,
            greeted(ann.address, ann.token) as a,
        ):
            await asyncio.to_thread(mira.act, "message", "delete_messages", foul["id"])
            for wire in (a, b, one):
                gone = await wire.hear("message.deleted")
                assert (gone["message"]["id"], gone["message"]["text"]) == (foul["id"], "")
                assert gone["actor"]["username"] == mira.handle
                assert WHY not in str(gone)

            seat = await asyncio.to_thread(mira.seat, room, bob.id)
            await asyncio.to_thread(mira.act, "membership", "remove_members", seat)
            left = await b.hear("room.left")
            assert (left["left"], left["actor"]["username"]) == (room, mira.handle)
            assert await one.closed() == 4403
            assert (await a.hear("member.removed"))["membership"]["user"]["id"] == bob.id

            # What comes to bob after it is of another room, so what was said in this one did not come.
            await asyncio.to_thread(ann.says, room, "They are gone.")
            await a.hear("message.sent")
            await asyncio.to_thread(ann.call, "POST", "direct/", {"user": bob.id})
            await b.hear("room.joined")
            assert not b.of("message.sent")
            assert not one.of("message.sent")

    asyncio.run(scene())


def test_a_ban_is_heard_at_once_and_ends_what_the_banned_hear(
    mira: Browser, ann: Caller, bob: Caller, there: str
) -> None:
    """One by the room's owner, one from the admin of another process; lifting one brings nobody back."""
    rooms = [ann.group("public", bob), ann.group("private", bob)]
    bans = f"groups/{rooms[0]}/bans/"

    async def scene() -> None:
        async with (
            greeted(there, bob.token) as b,
            greeted(there, bob.token, f"/ws/rooms/{rooms[0]}/") as one,
            greeted(ann.address, ann.token) as a,
        ):
            body = {"user": bob.id, "reason": WHY}
            seat = await asyncio.to_thread(mira.seat, rooms[1], bob.id)
            for room, actor, act in (
                (rooms[0], ann.name, partial(ann.call, "POST", bans, body)),
                (rooms[1], mira.handle, partial(mira.act, "membership", "ban_members", seat)),
            ):
                await asyncio.to_thread(act)
                out = await a.hear("member.banned")
                assert (out["room"], out["user"]["id"]) == (room, bob.id)
                assert out["actor"]["username"] == actor
                assert WHY not in str(out)
                assert (await b.hear("room.left"))["left"] == room
            assert await one.closed() == 4403

            await asyncio.to_thread(ann.call, "DELETE", f"{bans}{bob.id}/")
            for room in rooms:
                await asyncio.to_thread(ann.says, room, "They are gone.")
            await a.hear("member.unbanned")
            # What comes to bob after it is of another room, so what was said in these did not come.
            await asyncio.to_thread(ann.call, "POST", "direct/", {"user": bob.id})
            await b.hear("room.joined")
            for wire in (b, one):
                assert not wire.of("message.sent")
                assert not wire.of("member.unbanned")

            await asyncio.to_thread(bob.call, "POST", f"groups/{rooms[0]}/join/")
            await a.hear("member.joined")
            await b.hear("room.joined")
            said = await asyncio.to_thread(ann.says, rooms[0], "Welcome back.")
            assert (await b.hear("message.sent"))["message"]["id"] == said["id"]

    asyncio.run(scene())


@pytest.mark.parametrize("way", ["remove", "ban", "leave"])
def test_who_goes_is_told_by_their_own_log_alone_on_every_process(
    way: str, ann: Caller, bob: Caller, here: str, there: str
) -> None:
    """Which of the two logs comes to a process first is chance; what the person hears is not."""

    async def scene() -> None:
        async with (
            greeted(here, bob.token) as one,
            greeted(there, bob.token) as other,
            greeted(there, ann.token) as a,
        ):
            for _ in range(5):
                room = await asyncio.to_thread(ann.group, "private", bob)
                for wire in (one, other):
                    await wire.hear("room.joined")
                path = f"groups/{room}/"
                act = {
                    "remove": partial(ann.call, "DELETE", f"{path}members/{bob.id}/"),
                    "ban": partial(ann.call, "POST", f"{path}bans/", {"user": bob.id}),
                    "leave": partial(bob.call, "POST", f"{path}leave/"),
                }[way]
                await asyncio.to_thread(act)
                for wire in (one, other):
                    assert (await wire.hear("room.left"))["left"] == room
                    assert not [f for f in wire.heard if f["type"].startswith("member.")]
                gone = {"remove": "removed", "ban": "banned", "leave": "left"}[way]
                assert (await a.hear(f"member.{gone}"))["room"] == room

    asyncio.run(scene())


def test_a_person_whose_devices_are_ended_is_put_out_at_once(
    mira: Browser, bob: Caller, there: str
) -> None:
    async def scene() -> None:
        async with greeted(there, bob.token) as b:
            await asyncio.to_thread(mira.act, "profile", "end_all_devices", bob.id)
            assert await b.closed() == 4401
            assert b.of("device.ended")[0]["actor"]["username"] == mira.handle

    asyncio.run(scene())
