"""Serves HTTP and sockets while developing, with Django's own reloading, checks and banner."""

import os
import signal
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import autoreload
from django.utils.module_loading import import_string

if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
    from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
else:
    from django.core.management.commands.runserver import (  # type: ignore[assignment]
        Command as Runserver,
    )

if find_spec("uvicorn"):
    from chat.websocket.server import build, listen

# Long enough to tell open sockets that the server leaves, short enough not to delay a reload.
FAREWELL_SECONDS = 2
# The exit code with which Django's reloader asks to be started again.
FILES_CHANGED = 3


class DevelopmentServer:
    """What Django's runserver asks of a WSGI server, done by uvicorn."""

    def __init__(self, address: tuple[str, int], _handler: object, ipv6: bool = False) -> None:
        self.socket = listen(*address, family=socket.AF_INET6 if ipv6 else socket.AF_INET)
        self.server_port = self.socket.getsockname()[1]
        self.ended = threading.Event()

    def set_app(self, app: Any) -> None:
        self.server = build(app, timeout_graceful_shutdown=FAREWELL_SECONDS)

    def serve_forever(self) -> None:
        try:
            self.server.run(sockets=[self.socket])
        finally:
            self.ended.set()

    def stop(self) -> None:
        self.server.should_exit = True
        self.ended.wait(FAREWELL_SECONDS + 1)


def serve_in_child() -> int:
    """Run this command in a child process, again after each change of a file, and return its exit code.

    Django's own loop kills the child when this process is stopped, so open sockets would end without ``leaving``.
    """
    environment = {**os.environ, autoreload.DJANGO_AUTORELOAD_ENV: "true"}
    code = FILES_CHANGED
    while code == FILES_CHANGED:
        # The arguments are those of this very process.
        arguments = autoreload.get_child_arguments()
        child = subprocess.Popen(arguments, env=environment, close_fds=False)  # noqa: S603
        signal.signal(signal.SIGTERM, lambda *_, child=child: child.terminate())
        try:
            code = child.wait()
        except KeyboardInterrupt:
            # Ctrl-C has reached the child as well.
            code = child.wait()
    return code


class Command(Runserver):
    """Django's runserver with uvicorn inside; without it, or without ASGI_APPLICATION, Django's own."""

    help = "Starts a web server for development that serves sockets too."
    serving: DevelopmentServer | None = None

    def run(self, **options: Any) -> None:
        is_child = os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"
        if options["use_reloader"] and not is_child and not self.obstacle():
            sys.exit(serve_in_child())
        try:
            super().run(**options)
        finally:
            # The reloader ends its process while the server runs in another thread.
            if self.serving:
                # Both the terminal and the first process may send it. Django's handler for it raises SystemExit
                # wherever this thread is, so a second signal can also arrive in the lines that ignore it.
                ignored = False
                while not ignored:
                    try:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        ignored = True
                    except SystemExit:
                        continue
                self.serving.stop()

    def inner_run(self, *args: Any, **options: Any) -> None:
        if obstacle := self.obstacle():
            self.stderr.write(f"{obstacle}: serving HTTP only, no sockets.")
        else:
            self.server_cls = self.bind  # type: ignore[assignment]
            # Django would mix threads into a class; this server needs none.
            options["use_threading"] = False
        super().inner_run(*args, **options)

    def obstacle(self) -> str | None:
        if not find_spec("uvicorn"):
            return "uvicorn is not installed"
        if not getattr(settings, "ASGI_APPLICATION", None):
            return "ASGI_APPLICATION is not set"
        return None

    def bind(self, *args: Any, **kwargs: Any) -> DevelopmentServer:
        self.serving = DevelopmentServer(*args, **kwargs)
        return self.serving

    def get_handler(self, *args: Any, **options: Any) -> Any:
        if self.obstacle():
            return super().get_handler(*args, **options)
        application = import_string(settings.ASGI_APPLICATION)
        serves_static = options.get("use_static_handler") and (
            settings.DEBUG or options["insecure_serving"]
        )
        return ASGIStaticFilesHandler(application) if serves_static else application
