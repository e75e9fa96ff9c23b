"""Runs uvicorn with the limits that sockets need; its own defaults accept bombs, log tickets and wait for ever."""

import asyncio
import contextlib
import copy
import gc
import logging
import os
import socket
from collections.abc import Callable
from threading import Timer
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from chat.conf import chat_settings
from chat.extras import named
from chat.server.parent import stop_with_parent
from chat.server.websocket import Protocol

with named():
    from uvicorn import Config, Server
    from uvicorn.config import LOGGING_CONFIG
    from uvicorn.lifespan.off import LifespanOff
    from uvicorn.supervisors import Multiprocess

    from chat.server.http import HttpProtocol

logger = logging.getLogger("uvicorn.error")

BACKLOG = 2048
# New objects after which Python looks for rings among them; its own 700 is a handful of requests.
GARBAGE = 10_000
STUCK_AFTER_MS = 20_000
# Seconds that requests and sockets get to end, and then that threads do, which nothing can interrupt.
GRACE = 8
GRACE_OF_THREADS = 2


class WithoutQuery(logging.Filter):
    """Cuts the query off every path in a log line, because a ticket may be in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                a.partition("?")[0] if isinstance(a, str) else a for a in record.args
            )
        return True


class WithoutClientFaults(logging.Filter):
    """Takes the traceback off what uvicorn writes of text that is not UTF-8: it is the client's doing, and one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError):
            record.exc_info = None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


def without_queries(log_config: dict[str, Any]) -> dict[str, Any]:
    """The same logging configuration; uvicorn then writes no query string, and no fault of a client as one of ours."""
    config = copy.deepcopy(log_config)
    # Names of our own, because the configuration may have filters under the classes' plain names.
    filters = {f"{__name__}.{kind.__name__}": kind for kind in (WithoutQuery, WithoutClientFaults)}
    for key, kind in filters.items():
        config.setdefault("filters", {})[key] = {"()": f"{__name__}.{kind.__name__}"}
    for name in ("uvicorn.error", "uvicorn.access"):
        config["loggers"].setdefault(name, {})["filters"] = list(filters)
    return config


class Life(LifespanOff):
    """What a process does when it begins and ends to serve, in the place where uvicorn would ask the application."""

    async def startup(self) -> None:
        """Begin to listen and to pass on, before the first socket comes; tell metrics, where that is wanted."""
        # What is loaded by now stays: to walk through it again and again is time that no request has.
        gc.freeze()
        gc.set_threshold(GARBAGE)
        stop_with_parent()
        # By now the application is loaded; this module is read before that.
        import_string("chat.websocket.engine.set_going")()
        if chat_settings.METRICS:
            # Its package is an extra.
            try:
                expose = import_string("chat.websocket.exposition.expose")
                await asyncio.to_thread(expose, chat_settings.METRICS)
            except (ImportError, ImproperlyConfigured) as error:
                logger.error("Not started: %s", error)
                self.should_exit = True

    async def shutdown(self) -> None:
        """Have the process end, even where a thread waits for a database that does not answer."""
        last = Timer(GRACE_OF_THREADS, _leave_threads)
        last.daemon = True
        last.start()


def _leave_threads() -> None:
    logger.error(
        "threads are still at work: leaving without them; what they commit is not acknowledged"
    )
    os._exit(1)


class Settings(Config):
    """uvicorn's own configuration, with :class:`Life` in every process that serves by it."""

    def load(self) -> None:
        """Load the application."""
        super().load()
        self.lifespan_class = Life


# The options that matter. `loop` stays "auto": that is uvloop where it is installed.
UVICORN_OPTIONS: dict[str, Any] = {
    # 15 KB on the wire would become 15 MB in memory.
    "ws_per_message_deflate": False,
    "ws_ping_interval": 20,
    "ws_ping_timeout": 20,
    "timeout_graceful_shutdown": GRACE,
    "http": HttpProtocol,
    "ws": Protocol,
    "backlog": BACKLOG,
    "server_header": False,
    # Django and Channels do not speak it.
    "lifespan": "off",
    "log_config": without_queries(LOGGING_CONFIG),
}


def listen(host: str, port: int, *, family: int | None = None) -> socket.socket:
    """A listening socket whose connections die once a peer has taken nothing for twenty seconds.

    No close frame passes a full buffer: without the kernel's help such a peer would stay, and hold up a shutdown.
    """
    family = family or (socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_AFTER_MS)
    return sock


def build(app: str | Callable[..., Any], **options: Any) -> Server:
    """A uvicorn server with UVICORN_OPTIONS and room for frames of CHAT["FRAME_MAX"]; `options` win over them."""
    # Twice that: a frame a little too big the chat refuses in words, only a far bigger one uvicorn cuts off.
    limits = {"ws_max_size": 2 * chat_settings.FRAME_MAX}
    # uvicorn would believe every program on this machine about addresses and TLS; only named proxies are believed.
    forwarded = {"proxy_headers": bool(os.environ.get("FORWARDED_ALLOW_IPS"))}
    return Server(Settings(app, **{**UVICORN_OPTIONS, **limits, **forwarded, **options}))


def serve(app: str, sock: socket.socket, *, workers: int = 1, **options: Any) -> None:
    """Serve until a signal asks to stop; each open socket is told so (1012) and may come back elsewhere."""
    server = build(app, workers=workers, **options)
    logger.info("Listening on %s, port %d", *sock.getsockname()[:2])
    with sock, contextlib.suppress(KeyboardInterrupt):
        if workers > 1:
            Multiprocess(server.config, sockets=[sock]).run()
        else:
            server.run(sockets=[sock])
