"""A door for staff: every table to be looked at, and acts that go through the domain, each with its reason."""

from django.contrib import admin

from chat.admin import bans, log, messages, people, rooms
from chat.admin.login import count_wrong_passwords

__all__ = ["bans", "log", "messages", "people", "rooms"]

count_wrong_passwords(admin.site)
