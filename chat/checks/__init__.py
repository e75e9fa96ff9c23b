"""What can be said before the first request; docs/checks.md lists it all, with the trap behind each."""

from chat.checks import security, settings, stack

__all__ = ["security", "settings", "stack"]
