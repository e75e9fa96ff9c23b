"""Look for endpoints that anyone may ask: each must be on the list of open ones, with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import django
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from tests.lint import end_with

# Endpoints that answer without a sign-in, and why.
OPEN = {
    "": "the welcome page",
    "favicon.ico": "the icon of every page",
    "healthz": "a probe, which has no account; it tells nothing of the data",
    "readyz": "a probe, which has no account; it tells nothing of the data",
    "admin/login/": "a sign-in",
    "api-auth/login/": "a sign-in",
    "api-auth/logout/": "the end of a session, with its CSRF token",
    "api/": "the list of paths, and the answer to unknown ones",
    "api/auth/register/": "a registration",
    "api/auth/token/": "a sign-in",
    "api/auth/token/refresh/": "a sign-in by refresh token",
    "api/schema/": "the OpenAPI document, which is public",
    "api/asyncapi/": "the AsyncAPI document, which is public",
    "api/docs/": "a page of the documents",
    "api/console/": "a page that asks for a token before it connects",
}

Patterns = Sequence[URLPattern | URLResolver]


def open_endpoints(patterns: Patterns, prefix: str = "") -> Iterator[str]:
    """Return the paths below ``patterns`` that do not require a sign-in."""
    for one in patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from open_endpoints(one.url_patterns, path)
        elif not (is_closed(one.callback) or (path.startswith("admin/") and refuses(one.callback))):
            yield path


def is_closed(view: Callable[..., Any]) -> bool:
    """Return whether a view asks who is there: by DRF's permissions, or as a view of the admin."""
    from rest_framework.permissions import AllowAny

    if hasattr(view, "admin_site") or hasattr(view, "model_admin"):
        return True
    permissions = getattr(getattr(view, "cls", None), "permission_classes", [])
    return bool(permissions) and AllowAny not in permissions


def refuses(view: Callable[..., Any]) -> bool:
    """Return whether a view of the admin sends a visitor to its login page."""
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    answer = view(request)
    return answer.status_code == 302 and "/login/" in answer["Location"]


def findings() -> Iterator[str]:
    """Compare the endpoints of the service with the list, both ways."""
    found = set(open_endpoints(get_resolver().url_patterns))
    yield from (
        f"{path or '/'} answers without a sign-in, and is not on the list in {__file__}"
        for path in sorted(found - OPEN.keys())
    )
    yield from (
        f"{path or '/'} is on the list in {__file__}, and is not an open endpoint"
        for path in sorted(OPEN.keys() - found)
    )


if __name__ == "__main__":
    django.setup()
    end_with(findings())
