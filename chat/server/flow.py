"""When a connection is read from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl


class Flow(FlowControl):
    """Read from a connection only if the application takes the body and the client reads its answers.

    uvicorn resumes reading whenever the application asks for the body or has answered. Here it stays paused while
    the write buffer is full, or while ``held`` says that bytes wait to be parsed: then ``go_on`` is called instead.
    """

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on = go_on
        # The application has not yet taken the part of the body that has arrived.
        self.full = False
        self.held = False

    @property
    def blocked(self) -> bool:
        """Return True if nothing more may be parsed now."""
        return self.full or self.write_paused

    def pause_reading(self) -> None:
        self.full = True
        super().pause_reading()

    def resume_reading(self) -> None:
        self.full = False
        if self.held:
            self._go_on()
        elif not self.write_paused:
            super().resume_reading()

    def hold(self) -> None:
        """Read nothing more before the bytes that have arrived are parsed."""
        self.held = True
        super().pause_reading()

    def release(self) -> None:
        """Read on, unless something else forbids it."""
        self.held = False
        if not self.blocked:
            super().resume_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.full:
            self.resume_reading()
