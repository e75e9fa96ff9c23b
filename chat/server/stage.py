"""What one HTTP connection does."""

from enum import Enum, auto


class Stage(Enum):
    """What a connection does now."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    # The head asks for an upgrade that is not offered; it is parsed again without that.
    REPARSE = auto()
    UPGRADE = auto()
    # Refused: bytes that still come are dropped.
    REFUSED = auto()


# Looking a member up in its class costs several times as much, and each request does so a dozen times.
HEAD, BODY, ANSWER, REPARSE, UPGRADE, REFUSED = Stage
