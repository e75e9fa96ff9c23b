"""Serve the icon that browsers ask for on every page that names none: the admin's, Django REST framework's."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from project.env import ROOT

ICON = ROOT / "project" / "static" / "welcome" / "parley.svg"


@require_safe
@cache_control(public=True, max_age=24 * 3600)
def favicon(request: HttpRequest) -> HttpResponse:
    """Return the icon itself, so that it is there before `collectstatic` has run."""
    return HttpResponse(_icon(), content_type="image/svg+xml")


@cache
def _icon() -> bytes:
    return ICON.read_bytes()
