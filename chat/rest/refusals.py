"""Every refusal leaves this door in the one error shape, whoever raised it."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

from django.conf import settings
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, UnreadablePostError
from django.utils.log import log_response
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response
from rest_framework.settings import api_settings

from chat.errors import (
    ChatError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TokenExpired,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from chat.limits.addresses import network_of
from chat.limits.password_checks import SignInsBusy
from chat.outages import Outages, is_away, place_in_chat, took_too_long
from chat.queries.grounds import says_expired
from chat.security_log import log_refusal
from chat.serializers.reading import sentences

logger = logging.getLogger("chat.rest")

_outages = Outages()

# What DRF says by a status, the domain says by a class. Two statuses have no class of their own.
KINDS: dict[int, type[ChatError]] = {
    **{
        kind.status: kind
        for kind in (
            Invalid,
            Unauthenticated,
            Forbidden,
            NotFound,
            Conflict,
            TooLarge,
            Unsupported,
            RateLimited,
            Unavailable,
        )
    },
    405: Unsupported,
    406: Unsupported,
}


def refuse(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an exception in the error shape; None for a defect that a developer is to see as Django shows it."""
    error = chat_error(exc)
    if error is None:
        developing = settings.DEBUG or settings.DEBUG_PROPAGATE_EXCEPTIONS
        return None if developing else _defect(exc, context)
    _log(error, context)
    status = getattr(exc, "status_code", error.status)
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if status == Unauthenticated.status:
        headers["WWW-Authenticate"] = context["view"].get_authenticate_header(context["request"])
    response = Response(error.as_dict(), status=status, headers=headers)
    # Django logs each answer above 499 as an error. An outage was logged by then, and a burst is no defect.
    if _is_of_database(exc):
        response._has_been_logged = True  # type: ignore[attr-defined]
    elif isinstance(exc, SignInsBusy):
        request = context["request"]._request
        said = (error.detail, request.path)
        log_response("%s: %s", *said, response=response, request=request, level="warning")
    return response


def _log(error: ChatError, context: dict[str, Any]) -> None:
    """Log a refusal that concerns security, with the pattern of the path: a path itself may hold a secret."""
    request = context["request"]
    if isinstance(error, Unauthenticated) and "HTTP_AUTHORIZATION" not in request.META:
        # Sign-in and renewal log their own failures; a request without credentials is none.
        return
    match = request.resolver_match
    viewer = vars(context["view"]).get("viewer")
    log_refusal(
        error,
        operation=f"{request.method}:{match.route if match else ''}",
        person=viewer and viewer.pk,
        room=match and match.kwargs.get("room"),
        address=network_of(request),
    )


def _defect(exc: Exception, context: dict[str, Any]) -> Response:
    """Answer what nobody foresaw: 500, in the words of the sockets, and nothing of the exception."""
    response = Response(Unavailable("Something went wrong here.").as_dict(), status=500)
    request = context["request"]._request
    # What Django does for its own page: Django's test client raises it again, and error trackers hear of it.
    got_request_exception.send(sender=type(context["view"]), request=request)
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        exception=exc,
    )
    return response


def chat_error(exc: Exception) -> ChatError | None:
    """Return the domain's word for what DRF, Django or the database refused, or None."""
    if isinstance(exc, ChatError):
        return exc
    if isinstance(exc, drf_errors.APIException):
        return _of_drf(exc)
    if _is_of_database(exc):
        # A full or closed connection pool comes as an OperationalError too.
        _log_outage(exc)
        return Unavailable()
    return _of_django(exc)


def _is_of_database(exc: Exception) -> bool:
    """Return whether the database failed, or is a standby that takes no writes: psycopg calls that internal."""
    failed = isinstance(exc, (OperationalError, InterfaceError))
    return failed or (isinstance(exc, InternalError) and is_away(exc))


def _log_outage(exc: Exception) -> None:
    """Log a database that is away once a minute in one line; with a traceback what else went wrong with it.

    A statement that took too long is mostly one that waited for a busy room, so its line names the place alone.
    """
    if took_too_long(exc):
        logger.warning("a statement took too long in %s", place_in_chat(exc))
    elif not is_away(exc):
        logger.error("the database refused a statement", exc_info=exc)
    elif _outages.begins(type(exc).__name__):
        logger.error("the database does not answer: %s", str(exc).partition("\n")[0])


def _of_drf(exc: drf_errors.APIException) -> ChatError | None:
    if isinstance(exc, drf_errors.ValidationError):
        return _invalid(exc.detail)
    if isinstance(exc, drf_errors.Throttled):
        wait = getattr(exc, "wait", None)
        return RateLimited(retry_after=None if wait is None else ceil(wait))
    if exc.status_code == TokenExpired.status and says_expired(exc):
        return TokenExpired()
    kind = KINDS.get(exc.status_code)
    if kind is None or kind is NotFound:
        return kind and kind()
    return kind(str(exc.detail) if isinstance(exc.detail, str) else None)


def _invalid(detail: Any) -> Invalid:
    """Return the refusal of a host's own check; errors that belong to no field become its detail."""
    if not isinstance(detail, dict):
        return Invalid(sentences(detail))
    fields = dict(detail)
    of_all = fields.pop(api_settings.NON_FIELD_ERRORS_KEY, ())
    return Invalid(sentences(of_all), fields=fields)


def _of_django(exc: Exception) -> ChatError | None:
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, django_errors.PermissionDenied):
        return Forbidden()
    if isinstance(exc, django_errors.RequestDataTooBig):
        return TooLarge()
    if isinstance(exc, (django_errors.SuspiciousOperation, django_errors.BadRequest)):
        return Invalid()
    if isinstance(exc, UnreadablePostError):
        return Invalid("The body was cut short.")
    return None
