"""What a browser is told and trusted with; strict by default, and HTTPS=off for a site without TLS."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.conf import global_settings

from project.env import DEBUG, env, switch

_https = switch("HTTPS", default=not DEBUG)

CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

SECURE_SSL_REDIRECT = _https
# A probe asks from inside, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
# Preloading writes a domain into browsers for good; that is its owner's to ask for.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
# Browsers take a __Host- cookie from this very host only, so a neighbouring subdomain cannot plant one.
SESSION_COOKIE_NAME = "__Host-sessionid" if _https else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if _https else "csrftoken"
# No script of ours reads the CSRF cookie: pages carry the token, for forms and for fetch().
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# The first makes new hashes, and reads those of Django's own PBKDF2, which it stands for.
PASSWORD_HASHERS = [
    "project.hashers.PatientPBKDF2PasswordHasher",
    *global_settings.PASSWORD_HASHERS[1:],
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The pages of Django REST framework style elements in place; an attribute can load and run nothing.
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
