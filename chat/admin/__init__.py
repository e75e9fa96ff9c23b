"""A door for staff: every table to be looked at, and acts that go through the domain, each with its reason."""

from chat.admin import bans, log, messages, people, rooms

__all__ = ["bans", "log", "messages", "people", "rooms"]
