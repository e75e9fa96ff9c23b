"""How the host answers: in an envelope, and about errors in its own words."""

from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler


class EnvelopeRenderer(JSONRenderer):
    """All answers of the host are {"host": …}."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return super().render({"host": data}, *args, **kwargs)


def refusal(error: Exception, context: Any) -> Response | None:
    """Errors of the host have a number and nothing else."""
    answer = exception_handler(error, context)
    if answer is not None:
        answer.data = {"error": answer.status_code}
    return answer
