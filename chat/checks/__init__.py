"""What can be said before the first request; docs/checks.md lists it all, with the trap behind each."""

from chat.checks import limits, security, settings, stack

__all__ = ["limits", "security", "settings", "stack"]
