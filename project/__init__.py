"""The shell that runs the chat as a service of its own; it holds no logic."""
