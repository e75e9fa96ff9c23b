"""Tells Prometheus what this process has counted, on a port of its own that the public never reaches."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import accumulate
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.exceptions import ImproperlyConfigured

from chat import metrics
from chat.extras import named
from chat.websocket.engine import running

with named():
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.gc_collector import GCCollector
    from prometheus_client.platform_collector import PlatformCollector
    from prometheus_client.process_collector import ProcessCollector
    from prometheus_client.registry import Collector

logger = logging.getLogger("chat.websocket.exposition")

# Ports that are tried, the configured one first: as many processes of one host can be told apart.
PORTS = 64


class Chat(Collector):
    """What chat/metrics.py holds, and what the hub holds at this moment."""

    def collect(self) -> Iterator[Metric]:
        hubs = running()
        sockets = sum(len(hub.sockets) for hub in hubs)
        rooms = sum(len(hub.rooms) for hub in hubs)
        yield GaugeMetricFamily("chat_sockets", "Sockets that are open.", value=sockets)
        yield GaugeMetricFamily("chat_rooms", "Rooms that are listened to.", value=rooms)
        for counter in metrics.COUNTERS:
            family = CounterMetricFamily(
                counter.name, counter.says, labels=[counter.label] if counter.label else []
            )
            for which, value in counter.read().items():
                family.add_metric([which] if counter.label else [], value)
            yield family
        for histogram in metrics.HISTOGRAMS:
            counts, total = histogram.read()
            bounds = [*map(str, histogram.bounds), "+Inf"]
            buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            yield HistogramMetricFamily(histogram.name, histogram.says, buckets, total)


def registry() -> CollectorRegistry:
    """Return what is told: the chat, and what Prometheus's own library knows of a process."""
    found = CollectorRegistry()
    found.register(Chat())
    ProcessCollector(registry=found)
    PlatformCollector(registry=found)
    GCCollector(registry=found)
    return found


class Server(ThreadingMixIn, WSGIServer):
    """Answers each question in a thread; a port that another process has is not shared with it."""

    daemon_threads = True
    allow_reuse_port = False


class Quiet(WSGIRequestHandler):
    """Leaves no line for every scrape."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


def expose(address: str) -> Server | None:
    """Answer ``/metrics`` from a thread of its own, at ``host:port`` or the first free port after it.

    Every process has its own numbers and so its own port. None where none is free.
    Raises ImproperlyConfigured: without a host all the world could ask.
    """
    host, _, first = address.rpartition(":")
    if not host or not first.isdecimal():
        raise ImproperlyConfigured(f'CHAT["METRICS"] is {address!r}, not like "127.0.0.1:9100".')
    for port in range(int(first), int(first) + PORTS):
        try:
            server = make_server(host, port, make_wsgi_app(registry()), Server, Quiet)
        except OSError:
            continue
        Thread(target=server.serve_forever, name="chat-metrics", daemon=True).start()
        logger.info("Metrics on http://%s:%d/metrics", host, port)
        return server
    logger.warning("no port from %s on is free: this process tells no metrics", address)
    return None
