"""Counts wrong passwords that come with a request (``Authorization: Basic``), with those of ``auth/token/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import APIException, Throttled

from chat.errors import RateLimited, Unavailable
from chat.limits import AVAILABLE

if AVAILABLE or TYPE_CHECKING:
    from chat.limits.sign_in import counting_wrong_passwords


class CannotCount(APIException):
    """The store is away, so nobody signs in by a password."""

    status_code = Unavailable.status
    default_detail = Unavailable.default_detail
    default_code = Unavailable.code


def limited(authenticators: list[BaseAuthentication]) -> list[BaseAuthentication]:
    """Return the same authenticators, in which DRF's BasicAuthentication and what is made of it counts its tries.

    Beyond the limit it raises Throttled, without the store CannotCount. Without the package ``limits`` nothing counts.
    """
    for one in authenticators if AVAILABLE else ():
        if isinstance(one, BasicAuthentication):
            _count(one)
    return authenticators


def _count(one: BasicAuthentication) -> None:
    check = one.authenticate_credentials

    @sensitive_variables()
    def authenticate_credentials(userid: str, password: str, request: Any = None) -> Any:
        # Refused in DRF's own kind, because only after that does a request count as nobody's.
        try:
            with counting_wrong_passwords(request, userid):
                return check(userid, password, request)
        except RateLimited as refusal:
            raise Throttled(refusal.retry_after) from None
        except Unavailable:
            raise CannotCount from None

    # In the instance, which is this request's alone: its class, by which documents know it, stays what it is.
    one.authenticate_credentials = authenticate_credentials  # type: ignore[method-assign]
