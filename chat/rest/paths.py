"""Where the parts of this door are that a host may leave out."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def path_of(view: str) -> str:
    """Return the path of a view, or nothing where the host has left it out."""
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""
