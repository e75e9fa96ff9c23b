"""Every setting of ``CHAT = {…}``, with its default and why, on one page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from rest_framework.settings import api_settings

if TYPE_CHECKING:
    from rest_framework.authentication import BaseAuthentication

DEFAULTS: dict[str, Any] = {
    # Who is asking, over REST and sockets alike: DRF authentication classes, tried in order.
    # None means the host's own REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"].
    "AUTHENTICATION": None,
    # Pages whose cookies sign in a socket, as exact origins ("https://example.com"). None means the site's own:
    # scheme, host and port of the handshake, the host being one of ALLOWED_HOSTS.
    "ORIGINS": None,
    # Who may do what; a subclass of chat.policy.Policy overrides one predicate per verb.
    "POLICY": "chat.policy.Policy",
    # The first sight of an account: a callable (user) -> {"username", "display_name"?, "avatar_url"?}.
    "PROFILE": "chat.actions.people.profile_of_account",
    # Where a published event goes, each a callable (list of published events) -> None, called after commit.
    # Empty, because a host that wants no sockets should not need Channels.
    "OUTLETS": [],
    # The alias in CHANNEL_LAYERS that carries events between server processes.
    "CHANNEL_LAYER": "default",
    # The alias in DATABASES that the chat's tables live in, with chat.routers.ChatRouter in DATABASE_ROUTERS.
    # None means wherever the host's routers put them, which without routers is beside everything else.
    "DATABASE": None,
    # The tokens of a device: any key of TOKENS below. What is not said here is taken from SIMPLE_JWT.
    "JWT": {},
    # Whether auth/register/ makes accounts for anyone who asks.
    "REGISTRATION": True,
    # Handles that auth/register/ refuses, and display names that nobody may take: they claim an office, or read like a
    # keyword. Compared without case, dots, dashes and underscores.
    "RESERVED_HANDLES": [
        *("admin", "administrator", "root", "sysadmin", "system", "staff", "moderator", "mod"),
        *("support", "help", "helpdesk", "security", "official", "service", "abuse", "postmaster"),
        *("me", "null", "none", "undefined", "anonymous", "deleted", "deletedaccount"),
        *("everyone", "everybody", "all", "here", "room", "channel", "group", "parley"),
    ],
    # How long the handle of a deleted account stays reserved, so that nobody takes its place while people still
    # remember it.
    "HANDLE_HOLD": timedelta(days=30),
    # How often a wrong password may be tried in rest/auth/: for one account, and from one address for all. The first
    # also holds for a name that nobody has. "" is no limit; the words are those of the package `limits`.
    "LIMIT_ACCOUNT": "10/5 minutes",
    "LIMIT_ADDRESS": "50/5 minutes",
    # Whether the login of Django's admin counts with them: who guesses a password there guesses it for all doors.
    "ADMIN_LOGIN": True,
    # How often one address may ask to register, and may send a refresh token that is no good.
    "LIMIT_REGISTER": "20/hour",
    "LIMIT_REFRESH": "50/5 minutes",
    # Sign-ins and registrations that one process checks at the same time. Each occupies a thread while its password is
    # hashed; one more is answered `unavailable` at once, so that sign-ins never use up the threads of other requests.
    "LIMIT_SIGN_INS": 4,
    # Devices that a person may be signed in on. One more sign-in ends the device that was seen longest ago.
    "LIMIT_DEVICES": 50,
    # What a person may change, over REST and sockets together; new groups and direct rooms also count for themselves.
    # A person who types, reads and reacts on two devices stays below a tenth of it. None is no limit, here and below.
    "LIMIT_WRITES": "600/minute",
    "LIMIT_GROUPS": "100/hour",
    "LIMIT_DIRECT": "100/hour",
    # How often a person may join one group, and what they may change in rooms apart from sending, deleting and
    # removing: edits, pins, settings, members. Each is an event; above 1,000 of them a client that was away reads
    # the room again.
    "LIMIT_JOINS": "10/hour",
    "LIMIT_CHANGES": "100/10 minutes",
    # Reads of a person, over REST and by `resume`, and reads of one address without a sign-in. A client
    # that starts with a hundred rooms reads some 300 times at once.
    "LIMIT_READS": "3000/minute",
    "LIMIT_READS_ADDRESS": "3000/minute",
    # Frames of one socket, whatever they hold; twice as many close it (4429). A client that comes back from a tunnel
    # sends what it kept at once, hence the long window.
    "LIMIT_FRAMES": "300/10 seconds",
    # Open sockets of a person; from one address; and from one address those that have not said who they are.
    # Behind one address there may be a whole school.
    "LIMIT_SOCKETS_PERSON": 20,
    "LIMIT_SOCKETS_ADDRESS": 1_000,
    "LIMIT_SOCKETS_UNKNOWN": 20,
    # Rooms whose events one socket receives, beside the person's own log: the most recently active. Each costs about
    # 300 bytes a socket. Rooms joined while it is open come on top, up to as many again.
    "LIMIT_SOCKET_ROOMS": 10_000,
    # Open HTTP connections from one address, in each process; not of a proxy that uvicorn or PROXIES knows. A browser
    # has six, for some seconds.
    "LIMIT_CONNECTIONS_ADDRESS": 1_000,
    # Where these are counted: in each process by itself, or together ("redis://…"), under a prefix. While it is away
    # nobody can sign in anew (`unavailable`); who is signed in stays so, and each process counts the rest by itself.
    "LIMITS_STORAGE": "memory://",
    "LIMITS_PREFIX": "chat",
    # Proxies of ours that add to X-Forwarded-For. 0: the server has put the client's address in REMOTE_ADDR.
    "PROXIES": 0,
    # Characters (code points) in a message; even as JSON escapes, twelve bytes each, they fit a 64 KiB frame.
    "TEXT_MAX": 5_000,
    # Bytes of a message's metadata as JSON.
    "METADATA_MAX": 4_096,
    # True makes `users/` list everybody, as a closed team may want. Otherwise it lists the people that one shares a
    # room with, and others only by the beginning of their name, one page of them.
    "DIRECTORY": False,
    # Query parameters that other parts of the site read at the chat's paths, such as a host's own sign-in. All other
    # parameters that an operation does not know are refused.
    "PARAMETERS": [],
    # Rows of a list or history: when nothing is said, and at most.
    "PAGE_SIZE": 50,
    "PAGE_MAX": 100,
    # Missing events of one room beyond which a client is told to start afresh (`reset`).
    "RESUME_MAX": 1_000,
    # Rooms whose heads a socket is told at `hello`.
    "HELLO_ROOMS": 1_000,
    # Members up to which read positions are told to the whole room, else only to one's own devices.
    "LIVE_MEMBERS": 100,
    # Seconds between two `heads` to a socket.
    "HEARTBEAT": 10,
    # Seconds before a socket's token ends that its client is told so.
    "EXPIRING": 60,
    # Seconds a hole in a room's events may last before the log is read: nearly all close by themselves.
    "GAP_WAIT": 0.05,
    # Seconds between two looks at the last minute's events, and between two comparisons of all heads.
    "TICK": 5,
    "TICK_ALL": 60,
    # Seconds between two looks at whether those with an open socket may still be here: a password changed,
    # an account switched off, a key of the host's taken back. Below the five in which they are to be gone.
    "RECHECK": 3,
    # What a socket that does not read may hold back before it is closed (1013).
    "OUTBOX_EVENTS": 256,
    "OUTBOX_BYTES": 1_048_576,
    # Bytes of one frame from a client; the server's own limit (uvicorn --ws-max-size) is twice as high.
    "FRAME_MAX": 65_536,
    # These three hold for every HTTP request to our server. Bytes of a request's body, refused with 413 before it is
    # stored. A project that takes larger uploads raises it; for REST DATA_UPLOAD_MAX_MEMORY_SIZE holds as well.
    "BODY_MAX": 2_621_440,
    # Bytes of a request line and headers together (431): ample for cookies and tokens of other services.
    "HEAD_MAX": 32_768,
    # Seconds for the head of a request, and for its body if that is slower than 1,000 bytes a second (408).
    "REQUEST_WAIT": 20,
    # Threads, each with a database connection, that the sockets of one process share.
    "BRIDGE_THREADS": 8,
    # Seconds that a command may wait for one of these threads before it is answered `unavailable`, undone.
    "BRIDGE_WAIT": 5,
    # Where the server tells what it counts, as "127.0.0.1:9100": each process of a host at the first port from there
    # on that is free. None: nowhere. Whoever can reach it can read it, so never an address that the public reaches.
    "METRICS": None,
}

# CHAT["JWT"]: under the names that SIMPLE_JWT has for the same, so that a host need not say it twice.
TOKENS: dict[str, Any] = {
    # These three belong together: a key named in CHAT["JWT"] leaves all three of SIMPLE_JWT alone.
    "ALGORITHM": "HS256",
    # None means one derived from SECRET_KEY: good for a beginning, but who learns that one then has both.
    "SIGNING_KEY": None,
    "VERIFYING_KEY": "",
    # A token for another service is none for this one.
    "ISSUER": "parley",
    "AUDIENCE": "parley",
    # Seconds that two clocks may differ.
    "LEEWAY": 10,
    # An access token works until its device ends, and at most so long; a refresh token is good once.
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
}
KEYS = frozenset({"ALGORITHM", "SIGNING_KEY", "VERIFYING_KEY"})

# Settings whose value is a dotted path (or a list of them) and is used as what it names.
IMPORTED = frozenset({"AUTHENTICATION", "POLICY", "PROFILE", "OUTLETS"})


def _import(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_import(item) for item in value]
    return import_string(value) if isinstance(value, str) else value


class ChatSettings:
    """``settings.CHAT`` over :data:`DEFAULTS`, read anew when a test overrides it."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        setting_changed.connect(self._forget)

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"CHAT has no setting {name!r}")
        if name not in self._values:
            chosen = getattr(settings, "CHAT", {})
            # What is no dict is refused by a check, which must get so far as to say so.
            value = chosen.get(name, DEFAULTS[name]) if isinstance(chosen, dict) else DEFAULTS[name]
            self._values[name] = _import(value) if name in IMPORTED else value
        return self._values[name]

    def _forget(self, *, setting: str, **kwargs: object) -> None:
        if setting == "CHAT":
            self._values.clear()


chat_settings = ChatSettings()


def authenticators() -> list[BaseAuthentication]:
    """Return who is asked who somebody is, in order, over REST and sockets alike; an empty list asks nobody."""
    chosen = chat_settings.AUTHENTICATION
    host: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    return [one() for one in (host if chosen is None else chosen)]


def token_settings() -> dict[str, Any]:
    """Return what holds for tokens: ``CHAT["JWT"]``, else ``SIMPLE_JWT``, else :data:`TOKENS`."""
    own: dict[str, Any] = chat_settings.JWT
    host = getattr(settings, "SIMPLE_JWT", {})
    lent = set(TOKENS) - (KEYS if "SIGNING_KEY" in own else set())
    found = {**TOKENS, **{name: host[name] for name in lent if host.get(name) is not None}, **own}
    if not found["SIGNING_KEY"]:
        found["SIGNING_KEY"] = derived_key()
    return found


def derived_key() -> str:
    """Return the key that stands in where none is named: it cannot be turned back into SECRET_KEY."""
    return salted_hmac("chat.tokens", "signing key", algorithm="sha256").hexdigest()
