"""Let pages of the listed origins use REST: the same list whose cookies may sign in a socket."""

from project.settings.chat import CHAT

# Without this list no answer has a CORS header, and browsers hand no other origin's page an answer.
CORS_ALLOWED_ORIGINS = CHAT["ORIGINS"] or []
CORS_URLS_REGEX = r"^/api/"
# Such a page signs in with tokens. It needs no cookies, so none of its requests can act by a session.
CORS_ALLOW_CREDENTIALS = False
# Scripts of another origin read only these, beside the few headers that CORS always shows.
CORS_EXPOSE_HEADERS = ["ETag", "Location", "Retry-After"]
# Seconds for which a browser may remember a preflight; Chromium caps it at two hours.
CORS_PREFLIGHT_MAX_AGE = 7200
