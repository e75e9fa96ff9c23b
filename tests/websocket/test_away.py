"""PostgreSQL or Redis dies or hangs under running processes: what is said meanwhile, and that all is well after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from operator import methodcaller

import httpx2
import psycopg
import pytest

from tests.live.processes import SetUp, common_environment, serving
from tests.live.services import Postgres, Redis, Service
from tests.websocket.wire import Caller, Frame, Wire, greeted, socket

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.slow]

TRY_LATER = 1013
# No answer to a probe or to a person may take longer than this, whatever hangs.
PROBE_WITHIN = 4
REFUSED_WITHIN = 20
# What no push brought is read from the log within this.
REPAIRED_WITHIN = 10
SENT = 20
POOL = 4
MORE_THAN_THE_POOL = 4 * POOL

HOW: dict[str, tuple[Callable[[Service], None], Callable[[Service], None]]] = {
    "dead": (methodcaller("kill"), methodcaller("start")),
    "hanging": (methodcaller("hang"), methodcaller("go_on")),
}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres")) as one:
        yield one


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("redis")) as one:
        yield one


@pytest.fixture(scope="module")
def service(
    postgres: Postgres, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SetUp]:
    """Two processes on a database and a Redis of their own."""
    environment = {
        **common_environment(),
        "DATABASE_URL": postgres.url,
        "REDIS_URL": redis.url,
        "DATABASE_POOL_MAX": str(POOL),
    }
    directory = tmp_path_factory.mktemp("away")
    with serving("away", environment, directory, processes=2) as started:
        yield started


@pytest.fixture
def here(service: SetUp) -> str:
    return service.addresses[0]


@pytest.fixture
def there(service: SetUp) -> str:
    return service.addresses[1]


Taken = Callable[[], None]


@pytest.fixture(params=HOW)
def take(request: pytest.FixtureRequest) -> Iterator[Callable[[Service], Taken]]:
    """Take a server away; what is returned gives it back, as the test's end does otherwise."""
    away, back = HOW[request.param]
    with ExitStack() as given_back:

        def take(one: Service) -> Taken:
            away(one)
            given_back.callback(back, one)
            return given_back.close

        yield take


def probe(address: str, path: str) -> tuple[int, Frame]:
    answer = httpx2.get(f"http://{address}/{path}", timeout=PROBE_WITHIN)
    return answer.status_code, dict(answer.json())


def post(person: Caller, room: str) -> httpx2.Response:
    """Send a message over REST, whatever comes of it."""
    return httpx2.post(
        f"http://{person.address}/api/rooms/{room}/messages/",
        json={"text": "?"},
        headers={"Authorization": f"Bearer {person.token}"},
        timeout=REFUSED_WITHIN,
    )


def is_unavailable(error: Frame) -> None:
    assert error["code"] == "unavailable"
    assert error["retry_after"] > 0


async def turned_away(address: str, token: str) -> None:
    async with socket(address, token) as wire:
        assert await wire.closed() == TRY_LATER
        is_unavailable(wire.heard[-1]["error"])


def test_without_postgresql_nothing_is_acknowledged_and_the_first_request_after_works(
    take: Callable[[Service], Taken],
    postgres: Postgres,
    service: SetUp,
    ann: Caller,
    bob: Caller,
) -> None:
    room = ann.group("private", bob)

    async def scene() -> None:
        async with (
            greeted(ann.address, ann.token) as mouth,
            greeted(bob.address, bob.token) as ears,
            greeted(ann.address, ann.token) as other,
        ):
            give_back = await asyncio.to_thread(take, postgres)
            async with asyncio.TaskGroup() as together, asyncio.timeout(REFUSED_WITHIN):
                said = together.create_task(mouth.ask("message.send", room=room, text="lost"))
                posts = [together.create_task(asyncio.to_thread(post, ann, room)) for _ in range(6)]
                together.create_task(turned_away(ann.address, ann.token))
                # The loop is not held up by what the threads wait for.
                assert (await other.ask("ping"))["type"] == "done"
                alive = await asyncio.to_thread(probe, ann.address, "healthz")
                ready = await asyncio.to_thread(probe, ann.address, "readyz")
            assert alive == (HTTPStatus.OK, {"status": "ok"})
            assert ready[0] == HTTPStatus.SERVICE_UNAVAILABLE
            assert ready[1]["database"] != "ok"
            is_unavailable(said.result()["error"])
            for answer in (one.result() for one in posts):
                assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                is_unavailable(answer.json())
                assert int(answer.headers["Retry-After"]) > 0

            await asyncio.to_thread(give_back)
            assert (await asyncio.to_thread(post, ann, room)).status_code == HTTPStatus.CREATED
            last = await mouth.ask("message.send", room=room, text="back")
            assert last["type"] == "done"
            seq = last["result"]["message"]["seq"]
            await ears.hear(lambda frame: frame.get("seq") == seq)
            assert probe(ann.address, "readyz")[1]["status"] == "ok"

    asyncio.run(scene())


def test_connections_that_broke_while_nobody_asked_are_found_before_they_are_used(
    postgres: Postgres, service: SetUp, ann: Caller
) -> None:
    room = ann.group()
    parallel = [lambda: post(ann, room)] * POOL

    async def at_once() -> list[int]:
        answers = await asyncio.gather(*(asyncio.to_thread(one) for one in parallel))
        return [answer.status_code for answer in answers]

    # So that the pool is full of connections when all of them break.
    assert asyncio.run(at_once()) == [HTTPStatus.CREATED] * POOL
    postgres.kill()
    postgres.start()
    assert asyncio.run(at_once()) == [HTTPStatus.CREATED] * POOL


def test_without_redis_all_is_acknowledged_and_heard(
    take: Callable[[Service], Taken],
    redis: Redis,
    service: SetUp,
    ann: Caller,
    bob: Caller,
) -> None:
    room = ann.group("private", bob)

    async def heard(ears: Wire, text: str) -> None:
        async with asyncio.timeout(REPAIRED_WITHIN):
            await ears.hear(lambda f: f["type"] == "message.sent" and f["message"]["text"] == text)

    async def scene() -> None:
        async with (
            greeted(ann.address, ann.token) as mouth,
            greeted(bob.address, bob.token) as ears,
        ):
            give_back = await asyncio.to_thread(take, redis)
            # If but a few of them waited for the layer, this would not do.
            async with asyncio.timeout(REPAIRED_WITHIN):
                for number in range(SENT):
                    answer = await mouth.ask("message.send", room=room, text=f"{number}")
                    assert answer["type"] == "done"
            await heard(ears, f"{SENT - 1}")
            status, ready = await asyncio.to_thread(probe, ann.address, "readyz")
            assert (status, ready["status"]) == (HTTPStatus.OK, "degraded")
            assert ready["layer"] != "ok"
            # A newcomer gets in, with a room that no layer knows of yet.
            async with greeted(bob.address, bob.token) as late:
                new = await asyncio.to_thread(ann.group, "private", bob)
                await late.hear(lambda frame: frame.get("joined") == new)
                await mouth.ask("message.send", room=new, text="new")
                await heard(late, "new")

            await asyncio.to_thread(give_back)
            await mouth.ask("message.send", room=room, text="back")
            await heard(ears, "back")
            assert [f["seq"] for f in ears.of("message.sent") if f["room"] == room] == list(
                range(
                    ears.of("message.sent")[0]["seq"], ears.of("message.sent")[0]["seq"] + SENT + 1
                )
            )

    asyncio.run(scene())
    assert "Exception in ASGI" not in service.logs()


def test_more_than_the_pool_holds_queue_and_are_refused_in_words(
    postgres: Postgres, service: SetUp, ann: Caller
) -> None:
    room = ann.group()

    async def scene() -> list[httpx2.Response]:
        return await asyncio.gather(
            *(asyncio.to_thread(post, ann, room) for _ in range(MORE_THAN_THE_POOL))
        )

    with psycopg.connect(postgres.url) as connection:
        connection.execute("SELECT 1 FROM chat_room WHERE id = %s FOR UPDATE", [room])
        answers = asyncio.run(scene())
    assert {answer.status_code for answer in answers} == {HTTPStatus.SERVICE_UNAVAILABLE}
    for answer in answers:
        is_unavailable(answer.json())
    assert ann.says(room, "again")["seq"]


def test_those_who_wait_for_the_writer_leave_it_a_connection(service: SetUp, ann: Caller) -> None:
    """Each request has read who asks, and so has had a connection, before its message is written."""
    room = ann.group()

    async def at_once() -> list[httpx2.Response]:
        return await asyncio.gather(
            *(asyncio.to_thread(post, ann, room) for _ in range(MORE_THAN_THE_POOL))
        )

    answers = asyncio.run(at_once())
    assert [answer.status_code for answer in answers] == [HTTPStatus.CREATED] * MORE_THAN_THE_POOL
