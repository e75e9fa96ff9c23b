"""What a process counts of itself, whether or not anybody asks; chat/websocket/exposition.py tells it.

``from chat import metrics; metrics.batch(3); metrics.acked(0.004)``. Nothing here needs a package.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from threading import Lock

# Actions count in threads, sockets in the event loop.
_lock = Lock()


class Counter:
    """Only rises; ``label`` names what its values are told apart by, if they are."""

    def __init__(self, name: str, says: str, label: str = "") -> None:
        self.name = name
        self.says = says
        self.label = label
        self.values: dict[str, int] = defaultdict(int)
        COUNTERS.append(self)

    def add(self, amount: int = 1, which: str = "") -> None:
        """Count so many more."""
        with _lock:
            self.values[which] += amount

    def read(self) -> dict[str, int]:
        """Return the values as they are now; one without a label is there from the start."""
        with _lock:
            return dict(self.values) if self.label else {"": self.values[""]}


class Histogram:
    """How often a value was up to each of some bounds, and the sum of all."""

    def __init__(self, name: str, says: str, bounds: tuple[float, ...]) -> None:
        self.name = name
        self.says = says
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        HISTOGRAMS.append(self)

    def observe(self, value: float) -> None:
        """Count one value."""
        with _lock:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value

    def read(self) -> tuple[list[int], float]:
        """Return how many values were in each step, the last being beyond all bounds, and their sum."""
        with _lock:
            return list(self.counts), self.sum


COUNTERS: list[Counter] = []
HISTOGRAMS: list[Histogram] = []

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
# Clients may close with any of 4,000 codes, and each label is a row of its own for ever.
_CODES = frozenset(
    {1000, 1001, 1002, 1005, 1006, 1007, 1009, 1011, 1012, 1013}
    | {4400, 4401, 4403, 4404, 4408, 4429}
)

_deliveries = Counter("chat_deliveries", "Events handed to open sockets, once for each socket.")
_layer = Counter("chat_layer_failures", "Times that the channel layer refused.", "what")
_repaired = Counter("chat_repaired_rooms", "Rooms that lacked events which their log has.")
_found = Counter("chat_repaired_events", "Events that came by a log because no push brought them.")
_drops = Counter("chat_drops", "What was let go: slow sockets, events of full queues.", "what")
_closes = Counter("chat_closes", "Sockets that ended, by close code.", "code")
_restarts = Counter("chat_restarts", "Background work taken up again after it ended.", "work")
_batches = Histogram("chat_batch_size", "Messages written in one transaction.", _SIZES)
_acks = Histogram("chat_ack_seconds", "From a command's frame to its answer.", _SECONDS)
_lag = Histogram("chat_loop_lag_seconds", "How late the event loop was.", _SECONDS)


def delivered(sockets: int) -> None:
    """Count an event that was handed to so many sockets."""
    _deliveries.add(sockets)


def layer_failed(what: str) -> None:
    """Count a refusal of the channel layer: to connect, subscribe or send."""
    _layer.add(which=what)


def repaired(rooms: int, events: int) -> None:
    """Count rooms whose log had what no push had brought, and the events found."""
    _repaired.add(rooms)
    _found.add(events)


def dropped(what: str) -> None:
    """Count something that was let go."""
    _drops.add(which=what)


def closed(code: int) -> None:
    """Count a socket that ended with a close code."""
    _closes.add(which=str(code) if code in _CODES else "other")


def restarted(work: str) -> None:
    """Count background work that is taken up again."""
    _restarts.add(which=work)


def batch(size: int) -> None:
    """Count a transaction that wrote so many messages."""
    _batches.observe(size)


def acked(seconds: float) -> None:
    """Count an answer to a command, and how long it took."""
    _acks.observe(seconds)


def lagged(seconds: float) -> None:
    """Count how late the event loop was."""
    _lag.observe(seconds)
