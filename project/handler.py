"""Django over ASGI, each request in one thread from its first middleware to its answer.

Django's own handler hops into a thread and out again for every middleware that is not written for ASGI, and
starts that thread anew for each request: several times what a short request costs. All views here are synchronous.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from chat.conf import chat_settings
from chat.errors import Unavailable

HEALTH = frozenset({"/healthz", "/readyz"})


class ThreadedHandler(ASGIHandler):
    """Serves synchronous views from a bounded number of threads, HTTP_THREADS (16).

    A request that none of them took up within CHAT["BRIDGE_WAIT"] is answered `unavailable`.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(settings.HTTP_THREADS, thread_name_prefix="http")
        # Of their own: who asks whether the process lives is not to wait for a database.
        self._health = ThreadPoolExecutor(len(HEALTH), thread_name_prefix="http-health")

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        await self.handle(scope, receive, send)

    async def run_get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request in a thread, with what the context of this task knows."""
        threads = self._health if request.path in HEALTH else self._threads
        answer = sync_to_async(self._answer, thread_sensitive=False, executor=threads)
        begin_by = monotonic() + chat_settings.BRIDGE_WAIT
        response: HttpResponseBase = await answer(request, begin_by)
        response._handler_class = type(self)  # type: ignore[attr-defined]
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        return response

    def _answer(self, request: HttpRequest, begin_by: float) -> HttpResponseBase:
        # All threads wait for a database that hangs: whoever queued behind them is told so, in no time.
        if monotonic() > begin_by:
            refusal = Unavailable()
            retry = {"Retry-After": str(refusal.retry_after)}
            return JsonResponse(refusal.as_dict(), status=refusal.status, headers=retry)
        # Django's signals do this in a thread of theirs, whose connections are not those used here.
        close_old_connections()
        try:
            return self.get_response(request)
        finally:
            close_old_connections()


def get_application() -> ThreadedHandler:
    """Return the project as an ASGI application for HTTP."""
    django.setup(set_prefix=False)
    return ThreadedHandler()
