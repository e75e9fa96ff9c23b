"""A door: sockets that hear every event of their rooms, in order, and send commands."""
