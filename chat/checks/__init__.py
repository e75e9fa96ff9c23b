"""What can be said before the first request; docs/checks.md lists it all, with the trap behind each."""

from chat.checks import doors, limits, security, settings, stack

__all__ = ["doors", "limits", "security", "settings", "stack"]
