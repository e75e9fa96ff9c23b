"""What a process counts is told in Prometheus form, at an address of its own, and nowhere unless that is set."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx2
import pytest
from django.core.exceptions import ImproperlyConfigured
from prometheus_client.parser import text_string_to_metric_families

from chat import metrics
from chat.websocket.exposition import expose
from tests.live.processes import SetUp, free_port, server, wait_until_ready
from tests.websocket.wire import Caller, greeted

DOCS = Path(__file__).resolve().parent.parent / "docs" / "hosting.md"

Values = dict[tuple[str, str], float]


def scraped(address: str) -> Values:
    """Return the samples of the chat, by name and the one label that each may have."""
    text = httpx2.get(f"http://{address}/metrics", timeout=10).text
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_histogram_counts_each_value_in_its_step() -> None:
    one = metrics.Histogram("test_steps", "", (1.0, 2.0))
    metrics.HISTOGRAMS.remove(one)
    for value in (0.5, 1.0, 1.5, 2.5):
        one.observe(value)
    assert one.read() == ([2, 1, 1], 5.5)


def test_a_client_cannot_make_labels() -> None:
    metrics.closed(4711)
    metrics.closed(1012)
    assert "4711" not in metrics._closes.read()
    assert {"other", "1012"} <= set(metrics._closes.read())


def test_every_process_tells_its_own_numbers() -> None:
    address = f"127.0.0.1:{free_port()}"
    one = expose(address)
    other = expose(address)
    assert one is not None
    assert other is not None
    try:
        assert one.server_port == int(address.rpartition(":")[2]) < other.server_port
        metrics.batch(3)
        metrics.acked(0.004)
        found = scraped(f"127.0.0.1:{other.server_port}")
    finally:
        for server_ in (one, other):
            server_.shutdown()
            server_.server_close()
    assert found["chat_batch_size_count", ""] >= 1
    assert found["chat_ack_seconds_bucket", "+Inf"] == found["chat_ack_seconds_count", ""]
    assert ("process_open_fds", "") in found


def test_a_server_process_tells_what_it_holds(setup: SetUp, tmp_path: Path) -> None:
    metrics_at = f"127.0.0.1:{free_port()}"
    environment = {**setup.environment, "CHAT_METRICS": metrics_at}
    with server(environment, tmp_path / "told.log") as one:
        wait_until_ready(one)
        person = Caller.registered(one.address, "meter")
        room = person.group()

        async def scene() -> None:
            async with greeted(one.address, person.token) as wire:
                await wire.ask("message.send", room=room, text="one")
                found = await asyncio.to_thread(scraped, metrics_at)
            assert found["chat_sockets", ""] == 1
            assert found["chat_rooms", ""] >= 2
            assert found["chat_deliveries_total", ""] >= 1
            # Where people come in, nothing is told.
            assert httpx2.get(f"http://{one.address}/metrics", timeout=10).status_code == 404

        asyncio.run(scene())


@pytest.mark.parametrize("address", ["9100", ":9100", "127.0.0.1", "127.0.0.1:"])
def test_an_address_says_who_may_reach_it(address: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        expose(address)


def test_the_page_names_all_that_is_told() -> None:
    told = {one.name for one in (*metrics.COUNTERS, *metrics.HISTOGRAMS)}
    page = DOCS.read_text().partition("### Metrics\n")[2]
    named = set(re.findall(r"^\| `(chat_\w+?)(?:_total)?`", page, re.MULTILINE))
    assert named == told | {"chat_sockets", "chat_rooms"}
