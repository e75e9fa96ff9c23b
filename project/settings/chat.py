"""The tour of every option of the chat; what stands here is the default unless a line says otherwise."""

from project.env import env, number, redis, seconds, switch

CHAT = {
    # Who is asking, over REST and sockets alike. (Default: the host's own DRF classes.)
    "AUTHENTICATION": [
        "chat.rest.auth.authentication.DeviceAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Pages whose cookies sign in a socket (default: the site's own) and which may use REST (default: none other).
    "ORIGINS": env.list("CHAT_ORIGINS", default=[]) or None,
    # Where published events go. (Default: nowhere, so that the core needs no Channels.)
    "OUTLETS": ["chat.outlets.sockets.deliver"],
    # Who may do what, and how an account is first shown.
    "POLICY": "chat.policy.Policy",
    "PROFILE": "chat.actions.people.profile_of_account",
    # Whether anyone may make an account.
    "REGISTRATION": switch("CHAT_REGISTRATION", default=True),
    # How often a wrong password, a registration, a refresh token that is no good; counted where all processes see it.
    "LIMIT_ACCOUNT": env.str("CHAT_LIMIT_ACCOUNT", default="10/5 minutes"),
    "LIMIT_ADDRESS": env.str("CHAT_LIMIT_ADDRESS", default="50/5 minutes"),
    # Whether the admin's login counts with them.
    "ADMIN_LOGIN": True,
    "LIMIT_REGISTER": env.str("CHAT_LIMIT_REGISTER", default="20/hour"),
    "LIMIT_REFRESH": env.str("CHAT_LIMIT_REFRESH", default="50/5 minutes"),
    # Passwords that a process checks at the same time, and devices that a person may be signed in on. (0: any number.)
    "LIMIT_SIGN_INS": number("CHAT_LIMIT_SIGN_INS", default=4, least=0) or None,
    "LIMIT_DEVICES": number("CHAT_LIMIT_DEVICES", default=50, least=0) or None,
    # What a person may change, over REST and sockets together; rooms they may open; frames of one socket. (Empty: any.)
    "LIMIT_WRITES": env.str("CHAT_LIMIT_WRITES", default="600/minute"),
    "LIMIT_GROUPS": env.str("CHAT_LIMIT_GROUPS", default="100/hour"),
    "LIMIT_DIRECT": env.str("CHAT_LIMIT_DIRECT", default="100/hour"),
    # How often a person may join one group; what they may change in rooms apart from sending and deleting.
    "LIMIT_JOINS": env.str("CHAT_LIMIT_JOINS", default="10/hour"),
    "LIMIT_CHANGES": env.str("CHAT_LIMIT_CHANGES", default="100/10 minutes"),
    # What a person may read; and what one address may read without a sign-in. (Empty: any.)
    "LIMIT_READS": env.str("CHAT_LIMIT_READS", default="3000/minute"),
    "LIMIT_READS_ADDRESS": env.str("CHAT_LIMIT_READS_ADDRESS", default="3000/minute"),
    "LIMIT_FRAMES": env.str("CHAT_LIMIT_FRAMES", default="300/10 seconds"),
    # Open sockets: of a person, from an address, and of these not signed in yet. (0: any number.)
    "LIMIT_SOCKETS_PERSON": number("CHAT_LIMIT_SOCKETS_PERSON", default=20, least=0) or None,
    "LIMIT_SOCKETS_ADDRESS": number("CHAT_LIMIT_SOCKETS_ADDRESS", default=1_000, least=0) or None,
    "LIMIT_SOCKETS_UNKNOWN": number("CHAT_LIMIT_SOCKETS_UNKNOWN", default=20, least=0) or None,
    # Rooms that one socket hears: the most recently active. (0: all.)
    "LIMIT_SOCKET_ROOMS": number("CHAT_LIMIT_SOCKET_ROOMS", default=10_000, least=0) or None,
    # Open HTTP connections from an address, in each process. (0: any number.)
    "LIMIT_CONNECTIONS_ADDRESS": number("CHAT_LIMIT_CONNECTIONS_ADDRESS", default=1_000, least=0)
    or None,
    "LIMITS_STORAGE": redis("REDIS_URL") or "memory://",
    "LIMITS_PREFIX": env.str("REDIS_PREFIX", default="chat"),
    # Proxies whose X-Forwarded-For counts. (0: the server has done that already, by FORWARDED_ALLOW_IPS.)
    "PROXIES": 0,
    # What carries events between server processes.
    "CHANNEL_LAYER": "default",
    # How much: characters of a message, bytes of its metadata and of a frame, rows of a page.
    "TEXT_MAX": 5_000,
    "METADATA_MAX": 4_096,
    "FRAME_MAX": 65_536,
    "PAGE_SIZE": 50,
    "PAGE_MAX": 100,
    # How much of one HTTP request: bytes of its body and of its head, seconds in which it has to arrive.
    "BODY_MAX": number("CHAT_BODY_MAX", default=2_621_440, least=1),
    "HEAD_MAX": number("CHAT_HEAD_MAX", default=32_768, least=1_024),
    "REQUEST_WAIT": seconds("CHAT_REQUEST_WAIT", default=20),
    # Whether `users/` lists everybody page by page, for a closed team.
    "DIRECTORY": switch("CHAT_DIRECTORY", default=False),
    # Query parameters that other parts of the site read at the chat's paths.
    "PARAMETERS": [],
    # How far a socket is caught up event by event, and how many rooms it is told of at first.
    "RESUME_MAX": 1_000,
    "HELLO_ROOMS": 1_000,
    # Members up to which a room hears who has read how far.
    "LIVE_MEMBERS": 100,
    # Seconds: between two heads, before a token ends, for a hole to close, between two looks at the log.
    "HEARTBEAT": 10,
    "EXPIRING": 60,
    "GAP_WAIT": 0.05,
    "TICK": 5,
    "TICK_ALL": 60,
    # Seconds between two looks at whether open sockets are still signed in.
    "RECHECK": 3,
    # What a socket that does not read may hold back.
    "OUTBOX_EVENTS": 256,
    "OUTBOX_BYTES": 1_048_576,
    # Threads, each with a database connection, that the sockets of a process share.
    "BRIDGE_THREADS": number("CHAT_BRIDGE_THREADS", default=8, least=1),
    # Seconds that a command may wait for one of them.
    "BRIDGE_WAIT": 5,
    # Where each process tells Prometheus what it counts: "127.0.0.1:9100" and the ports after it. (Default: nowhere.)
    "METRICS": env.str("CHAT_METRICS", default=None),
}
