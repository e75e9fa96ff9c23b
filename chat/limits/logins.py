"""Counts wrong passwords at the login pages of the host: the admin's, the browsable API's, its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.debug import sensitive_post_parameters

from chat.errors import ChatError, RateLimited, Unavailable
from chat.limits.addresses import network_of
from chat.limits.sign_in import counting_wrong_passwords
from chat.security_log import log_security_event

View = Callable[..., HttpResponseBase]

# Set on a request whose try is counted: a page that was wrapped twice counts once.
COUNTED = "_chat_login_counted"


class _NotLetIn(Exception):
    """The page was answered once more: whatever was wrong, it counts."""


def limited_login(view: View, *, field: str | None = None) -> View:
    """Return a login page that shares the counts of ``auth/token/``.

    For a view that answers a POST of a name with a redirect when it lets in: ``path("login/",
    limited_login(LoginView.as_view()))``. ``field`` is where the page reads the name; not said, each of ``username``,
    ``email`` and the account's own word for it counts, as a try of its own. Beyond the limit: 429 with
    ``Retry-After``; while the store is away 503.
    """

    @wraps(view)
    @sensitive_post_parameters()
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or hasattr(request, COUNTED):
            return view(request, *args, **kwargs)
        setattr(request, COUNTED, True)
        answer: list[HttpResponseBase] = []
        try:
            with counting_wrong_passwords(request, *_names(request, field)):
                answer.append(view(request, *args, **kwargs))
                if not 300 <= answer[0].status_code < 400:
                    raise _NotLetIn
            _log_success(request)
        except _NotLetIn:
            return answer[0]
        except (RateLimited, Unavailable) as refusal:
            # One that comes after the page let in is not the page's to take back.
            return answer[0] if answer else _refused(refusal)
        return answer[0]

    return limited


def _log_success(request: HttpRequest) -> None:
    account = getattr(request, "user", None)
    log_security_event(
        "sign_in.succeeded", account=account and account.pk, address=network_of(request)
    )


def _names(request: HttpRequest, field: str | None) -> list[str]:
    # A field that the page does not read must hide none that it does.
    fields = (field,) if field else ("username", "email", get_user_model().USERNAME_FIELD)
    return [name for each in fields if (name := request.POST.get(each))]


def _refused(refusal: ChatError) -> HttpResponse:
    said = f"{refusal.detail} Try again in {refusal.retry_after} seconds."
    headers = {"Retry-After": str(refusal.retry_after), "Cache-Control": "no-store"}
    return HttpResponse(said, content_type="text/plain", status=refusal.status, headers=headers)
