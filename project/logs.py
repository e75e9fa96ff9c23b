"""Writes each log record as one JSON object on one line, so no name or header can forge a second."""

import json
import logging
from datetime import UTC, datetime

# Set on a request whose refusal is in the log.
REFUSED = "_refusal_logged"


class WithoutClientFaults(logging.Filter):
    """Write what a client did wrong as one warning: a foreign Host, a body too large, a filter that is not offered.

    Django refuses these with 400 and logs them as errors with a traceback, which would look like defects of ours.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take level and traceback off a refusal, and drop the second line that Django writes of it."""
        request = getattr(record, "request", None)
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
            if request is not None:
                setattr(request, REFUSED, True)
            return True
        return not (record.name == "django.request" and getattr(request, REFUSED, False))


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message; the fields of a security event; the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update(getattr(record, "security", {}))
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
