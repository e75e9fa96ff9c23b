"""A door for staff: every table to be looked at, and acts that go through the domain, each with its reason."""

from chat.admin import log, messages, people, rooms

__all__ = ["log", "messages", "people", "rooms"]
