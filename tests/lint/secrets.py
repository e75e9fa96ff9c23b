"""Look for secrets in every line that any commit added, with the detectors of detect-secrets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator

from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

from tests.lint import end_with
from tests.suite.commands import ROOT, SKIPPED

FORMATS = [
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector"),
    *("CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector"),
    *("IbmCloudIamDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector"),
    *("SlackDetector", "SoftlayerDetector", "SquareOAuthDetector", "StripeDetector"),
    *("TelegramBotTokenDetector", "TwilioKeyDetector"),
]
# Passwords by their name or place: the tests and the documents are full of such, and none opens anything.
NAMED = ["KeywordDetector", "BasicAuthDetector"]
# Values that look like secrets and open nothing.
ALLOWED = (
    "tea-at-half-past-four",  # The example of the documents.
    "postgres://user:password@host",  # The form of an address.
    "eyJhbGciOiJub25lIn0.e30.",  # An unsigned token without claims, which must be refused.
)


def kinds_in(lines: Iterable[str], *, named: bool = True) -> Iterator[tuple[str, str]]:
    """Yield each line that seems to hold a secret, with the kind of it."""
    detectors = FORMATS + NAMED if named else FORMATS
    with transient_settings({"plugins_used": [{"name": name} for name in detectors]}):
        for line in lines:
            if not any(value in line for value in ALLOWED):
                yield from ((line, secret.type) for secret in scan_line(line))


def added() -> dict[tuple[str, str], str]:
    """Return each line that was ever added, by path and text, with a commit that added it."""
    log = git(
        "log", "--all", "--patch", "--unified=0", "--no-color", "--no-ext-diff", "--format=> %h"
    )
    lines: dict[tuple[str, str], str] = {}
    commit = path = ""
    for line in log.splitlines():
        if line.startswith("> "):
            commit = line[2:]
        elif line.startswith("+++ "):
            path = line[6:]
        elif line.startswith("+"):
            lines[path, line[1:]] = commit
    return lines


def git(*arguments: str) -> str:
    """Return what git prints; nothing where this is no repository."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True, errors="replace"
    )
    return done.stdout if done.returncode == 0 else ""


def findings() -> Iterator[str]:
    """Scan the whole history, each line once. The finding does not repeat the secret."""
    places: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for (path, line), commit in added().items():
        named = not (path.startswith("tests/") or path.endswith(".md"))
        places[named].setdefault(line, f"{commit} {path}")
    for named, lines in places.items():
        yield from (f"{lines[line]}: {kind}" for line, kind in kinds_in(lines, named=named))


if __name__ == "__main__":
    if git("rev-parse", "--is-shallow-repository").strip() != "false":
        print("This is no clone with the whole history: its secrets were not scanned.")
        sys.exit(SKIPPED)
    end_with(findings())
