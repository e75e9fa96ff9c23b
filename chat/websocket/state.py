"""Under which names server and application lend each other what, in the state that ASGI keeps of a connection."""

# The application's: () -> None, ends the socket well because the server leaves.
LEAVE = "chat.leave"
# The server's: (texts) -> bool, sends them at once or says that it cannot. Other servers than ours lend none.
WRITE = "chat.write"
