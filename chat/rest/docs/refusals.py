"""What an operation may be refused with, and how the document shows a refusal."""

from __future__ import annotations

import inspect
from typing import Any

from rest_framework.permissions import AllowAny

from chat import errors

Kind = type[errors.ChatError]

# Any request may be refused so: an unknown parameter, too much, not now.
ALWAYS: tuple[Kind, ...] = (errors.Invalid, errors.RateLimited, errors.Unavailable)
SIGNED_IN: tuple[Kind, ...] = (errors.Unauthenticated, errors.TokenExpired, errors.Forbidden)
WITH_BODY: tuple[Kind, ...] = (errors.LengthRequired, errors.TooLarge, errors.Unsupported)


def refusals_of(view: Any, path: str, *, body: bool) -> dict[str, tuple[str, list[Kind]]]:
    """Return by status what may refuse the view's action: the name of the response, and its kinds."""
    kinds = {*view.outputs[view.action].refuses, *ALWAYS}
    if AllowAny not in view.permission_classes:
        kinds.update(SIGNED_IN)
    elif view.get_authenticators():
        kinds.update(SIGNED_IN[:2])
    if body:
        kinds.update(WITH_BODY)
    if "{" in path:
        kinds.add(errors.NotFound)
    # An Accept that is not spoken here, and a defect, have a status but no class of their own.
    found: dict[str, tuple[str, list[Kind]]] = {
        "406": ("NotAcceptable", [errors.Unsupported]),
        "500": ("Defect", [errors.Unavailable]),
    }
    for status in sorted({kind.status for kind in kinds}):
        of_status = [kind for kind in KINDS if kind in kinds and kind.status == status]
        found[str(status)] = ("Or".join(kind.__name__ for kind in of_status), of_status)
    return dict(sorted(found.items()))


def response_of(kinds: list[Kind], error: dict[str, Any]) -> dict[str, Any]:
    """Return the response that these kinds share; ``error`` refers to the shape of all errors."""
    said = ((kind.code, (inspect.getdoc(kind) or "").partition("\n")[0]) for kind in kinds)
    codes = {"code": {"enum": [kind.code for kind in kinds]}}
    return {
        "description": " ".join(f"`{code}`: {says}" for code, says in said),
        **_headers(kinds[0].status),
        "content": {
            "application/json": {
                "schema": {"allOf": [error], "properties": codes},
                "examples": {kind.code: {"value": _shown(kind)} for kind in kinds},
            }
        },
    }


def _tree(kind: Kind) -> list[Kind]:
    return [kind, *(deeper for one in kind.__subclasses__() for deeper in _tree(one))]


KINDS = _tree(errors.ChatError)[1:]


def _shown(kind: Kind) -> dict[str, Any]:
    if kind is errors.Invalid:
        return errors.Invalid(fields={"text": ["This field may not be blank."]}).as_dict()
    if kind is errors.RateLimited:
        return errors.RateLimited(retry_after=5).as_dict()
    if kind is errors.Forbidden:
        return errors.Forbidden("This room is frozen.", reason="frozen").as_dict()
    return kind().as_dict()


def _headers(status: int) -> dict[str, Any]:
    named = {401: ("WWW-Authenticate", "string"), 429: ("Retry-After", "integer")}
    name, kind = named.get(status, ("Retry-After", "integer"))
    return {"headers": {name: {"schema": {"type": kind}}}} if status in {401, 403, 429, 503} else {}
