"""How many frames and bytes one WebSocket connection may send: ``LIMIT_FRAMES``, and less before sign-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil, inf
from typing import TYPE_CHECKING

from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits import store

# Times the limit that a connection may send within one window; beyond, it is closed.
FLOOD = 2
# Bytes that a frame may have on average: a message in Chinese has at most 15,000, and a `resume` 50,000 once.
BYTES_PER_FRAME = 16_384
# Frames and bytes of a connection that has not said who it is. Only one frame is needed: `auth`, with a token.
FIRST_FRAMES = 10
FIRST_BYTES = 16_384


class Flow:
    """The frames and bytes that a connection sent in the current window; a window begins with its first frame.

    Each frame is counted once: by the application when it receives a message, and by the server's protocol
    class where a frame never reaches the application (ping, pong, fragment, anything after the close).
    """

    def __init__(self) -> None:
        rate = store.rate("LIMIT_FRAMES") if AVAILABLE else None
        # Without a limit nothing is counted.
        self._counting = rate is not None
        self._seconds: float = rate.get_expiry() if rate else inf
        self._most_frames: float = rate.amount if rate else inf
        self._most_bytes = self._most_frames * BYTES_PER_FRAME
        self._frames = self._bytes = 0
        # When the current window ends, by the monotonic clock.
        self.ends = 0.0

    def count(self, frames: int, size: int = 0) -> bool:
        """Add frames and bytes to the current window, or begin the next one, and return whether that is allowed."""
        if not self._counting:
            return True
        now = time.monotonic()
        if now >= self.ends:
            self.ends, self._frames, self._bytes = now + self._seconds, 0, 0
        self._frames += frames
        self._bytes += size
        return self._frames <= self._most_frames and self._bytes <= self._most_bytes

    @property
    def flooding(self) -> bool:
        """Return True if the current window is above twice the limit; the connection is then closed."""
        return self._frames > FLOOD * self._most_frames or self._bytes > FLOOD * self._most_bytes

    @property
    def retry_after(self) -> int:
        """Seconds until the current window ends, at least one."""
        return max(1, ceil(self.ends - time.monotonic()))

    @contextmanager
    def before_sign_in(self) -> Iterator[None]:
        """Allow only FIRST_FRAMES and FIRST_BYTES until the block ends, whatever ``LIMIT_FRAMES`` says."""
        usual = self._most_frames, self._most_bytes, self._counting
        self._most_frames, self._most_bytes, self._counting = FIRST_FRAMES, FIRST_BYTES, True
        try:
            yield
        finally:
            self._most_frames, self._most_bytes, self._counting = usual
