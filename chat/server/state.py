"""Keys of the ASGI scope's ``state`` dict through which server and application share callbacks and counts."""

# Set by the application: () -> None, closes the WebSocket gracefully because the server stops.
LEAVE = "chat.leave"
# Set by the server: (texts) -> bool, sends them at once or returns False. Other servers than ours set none.
WRITE = "chat.write"
# Set by the server: the chat.limits.frames.Flow of the connection. The application makes one where there is none.
FLOW = "chat.flow"

# Seconds in which commands under way are answered once the server stops: no longer than the database takes over one.
LEAVE_WITHIN = 5
