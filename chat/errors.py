"""Everything the domain may refuse, as one tree.

    ChatError
    ├── Invalid             400  invalid          the input has not the promised shape
    │   └── LengthRequired  411  invalid          the body has no length, and this server cannot read it so
    ├── Unauthenticated     401  unauthenticated  nobody, or nobody known
    │   └── TokenExpired    401  token_expired    known once; sign in or refresh
    ├── Forbidden           403  forbidden        you may know of it, but not do this
    ├── NotFound            404  not_found        it is not there, or you may not know that it is
    ├── Conflict            409  conflict         it contradicts what is stored
    ├── TooLarge            413  too_large        more than the stated maximum
    ├── Unsupported         415  unsupported      a kind of content or method that is not spoken here
    ├── RateLimited         429  rate_limited     too much, too fast; ``retry_after`` says when
    └── Unavailable         503  unavailable      not now; nothing was stored that was not acknowledged

A code never changes its meaning; every door renders an error by :meth:`ChatError.as_dict`.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

# Errors are in one language, whatever the request or the site speaks. Clients translate by ``code``.
LANGUAGE = "en"


class ChatError(Exception):
    """A refusal that the person who asked is told of: stable ``code``, human ``detail``."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    default_detail: ClassVar[str] = "Something went wrong."

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or self.default_detail
        self.fields = fields
        self.retry_after = retry_after
        # True once the security log has a line about this refusal.
        self.logged = False
        super().__init__(self.detail)

    def as_dict(self) -> dict[str, Any]:
        """Return ``{code, detail, fields?, retry_after?}``, the error shape of the protocol.

        A subclass may add fields.
        """
        shape: dict[str, Any] = {"code": self.code, "detail": self.detail}
        if self.fields:
            shape["fields"] = self.fields
        if self.retry_after is not None:
            shape["retry_after"] = self.retry_after
        return shape


class Invalid(ChatError):
    """The input has not the promised shape; ``fields`` says where."""

    code = "invalid"
    status = 400
    default_detail = "The input is not valid."


class LengthRequired(Invalid):
    """The body has no `Content-Length`, and this server cannot read it without."""

    status = 411
    default_detail = "Send the body with a Content-Length."


class Unauthenticated(ChatError):
    """Nobody, or nobody known."""

    code = "unauthenticated"
    status = 401
    default_detail = "Sign in first."


class TokenExpired(Unauthenticated):
    """Known once; sign in again or refresh."""

    code = "token_expired"
    default_detail = "The token has expired."


# Why a person may not write; a word never changes its meaning.
REASONS = ("muted", "frozen", "banned", "suspended", "policy")


class Forbidden(ChatError):
    """One may know of the thing, but not do this to it.

    ``reason`` is one of :data:`REASONS` where the refusal concerns writing. ``until`` is the moment at
    which the reason ends by itself.
    """

    code = "forbidden"
    status = 403
    default_detail = "You may not do this."

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: dict[str, Any] | None = None,
        retry_after: int | None = None,
        reason: str | None = None,
        until: datetime.datetime | None = None,
    ) -> None:
        self.reason = reason
        self.until = until
        super().__init__(detail, fields=fields, retry_after=retry_after)

    def as_dict(self) -> dict[str, Any]:
        """Return ``{code, detail, reason?, until?, fields?, retry_after?}``."""
        shape = super().as_dict()
        if self.reason:
            shape["reason"] = self.reason
        if self.until:
            shape["until"] = self.until.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
        return shape


class NotFound(ChatError):
    """It is not there, or one may not know that it is: both are said in the same words."""

    code = "not_found"
    status = 404
    default_detail = "Not found."


class Conflict(ChatError):
    """It contradicts what is stored."""

    code = "conflict"
    status = 409
    default_detail = "This id is already in use."


class TooLarge(ChatError):
    """More than the stated maximum."""

    code = "too_large"
    status = 413
    default_detail = "Too large."


class Unsupported(ChatError):
    """A kind of content or method that is not spoken here."""

    code = "unsupported"
    status = 415
    default_detail = "Not supported."


class RateLimited(ChatError):
    """Too much, too fast; ``retry_after`` is in seconds."""

    code = "rate_limited"
    status = 429
    default_detail = "Too many requests."


class Unavailable(ChatError):
    """Not now; nothing that was not acknowledged is promised to be stored."""

    code = "unavailable"
    status = 503
    default_detail = "The service is not available right now."

    def __init__(self, detail: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(detail, retry_after=retry_after)
