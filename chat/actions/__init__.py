"""Verbs that write: each one transaction, locked in one order, with the events that tell of it.

Locks are taken in one order everywhere: by kind (direct, group, self), then by id. A membership
is locked after its room, and people's own logs last.
"""
