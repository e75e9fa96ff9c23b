"""What docker/ says, done without an engine: the files of the image laid out, and its own commands run on them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SECRETS = {
    "SECRET_KEY": "of this run alone, and long enough to be let in: 0123456789",
    "JWT_SIGNING_KEY": "of this run alone as well, and another one: 9876543210",
    "POSTGRES_PASSWORD": "p",
    "REDIS_PASSWORD": "r",
    "ALLOWED_HOSTS": "localhost",
    "HTTPS": "off",
}

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::\?[^}]*|:-(?P<default>[^}]*))\}")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile, as instruction and argument; comments are left out, long lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "docker/Dockerfile").read_text(), flags=re.M)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    parts = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [(name, argument) for name, argument in parts]


def final_stage() -> list[tuple[str, str]]:
    """What makes the image itself."""
    every = instructions()
    last = max(place for place, (name, _) in enumerate(every) if name == "FROM")
    return every[last:]


def said(name: str) -> list[str]:
    """The arguments of an instruction of the final stage."""
    return [argument for each, argument in final_stage() if each == name]


def argv(name: str) -> list[str]:
    """An instruction's command, which must be in the form without a shell, or a signal would not arrive."""
    (argument,) = said(name)
    return list(json.loads(argument[argument.index("[") :]))


def variables() -> dict[str, str]:
    return dict(part.split("=", 1) for line in said("ENV") for part in shlex.split(line))


def laid_out(place: Path) -> Path:
    """Copy what the image copies to where it puts it."""
    for line in said("COPY"):
        *sources, target = line.split()
        for source in sources:
            origin = ROOT / source
            goal = place / target / (origin.name if target.endswith("/") else "")
            (shutil.copytree if origin.is_dir() else shutil.copy)(origin, goal)
    return place


def collecting() -> str:
    """The line that collects the static files, up to what only root may do."""
    (line,) = (each for each in said("RUN") if "collectstatic" in each)
    return line.partition("&& install")[0]


def compose() -> dict[str, Any]:
    """The compose file with its variables filled in, as compose does it: after reading it as YAML."""
    found: dict[str, Any] = filled(yaml.safe_load((ROOT / "docker/compose.yml").read_text()))
    return found


def filled(value: Any) -> Any:
    """A part of the file with ``${NAME:?why}`` and ``${NAME:-default}`` replaced in all its texts."""
    if isinstance(value, dict):
        return {name: filled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    return VARIABLE.sub(_value, value) if isinstance(value, str) else value


def _value(match: re.Match[str]) -> str:
    if match["default"] is None:
        return SECRETS[match["name"]]
    return SECRETS.get(match["name"], match["default"])


def environment(**changes: str) -> dict[str, str]:
    """What a web process of compose is given, with the interpreter of this run as its ``python``."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = compose()["services"]["web1"]["environment"]
    return {"PATH": path, **variables(), **given, **changes}
