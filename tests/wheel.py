"""The distribution as others get it: built once, unpacked where nothing but what it needs is beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from tempfile import mkdtemp

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = Path(sysconfig.get_path("purelib"))
# All that goes into a wheel; a copy, because building writes beside what it reads.
SOURCES = ["chat", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@cache
def unpacked() -> Path:
    """Build the wheel and install it into a directory of its own; once in a run, gone after it."""
    scratch = Path(mkdtemp(prefix="parley-wheel-"))
    atexit_remove(scratch)
    source, wheels, target = scratch / "source", scratch / "wheels", scratch / "target"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    # Without isolation: what builds is in requirements/dev.txt, so no test needs a network.
    run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)])
    (wheel,) = wheels.glob("*.whl")
    run([*PIP, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)])
    return target


def atexit_remove(path: Path) -> None:
    """Leave nothing behind."""
    import atexit

    atexit.register(shutil.rmtree, path, ignore_errors=True)


def beside(directory: Path, *names: str) -> Path:
    """Link the distributions of these names, and what they need, into a directory: all else is absent."""
    directory.mkdir()
    for each in needed_by(*names):
        for top in {Path(file).parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
            (directory / top).symlink_to(INSTALLED / top)
    return directory


def core_requirements() -> list[str]:
    """Return the names of what the wheel needs when no extra is asked for."""
    (info,) = unpacked().glob("*.dist-info")
    return [one.name for one in plain_requirements(PathDistribution(info))]


def plain_requirements(of: Distribution) -> list[Requirement]:
    """Return what a distribution needs here, extras apart."""
    found = [Requirement(line) for line in of.requires or ()]
    return [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]


def needed_by(*names: str) -> list[Distribution]:
    """Return the distributions of these names and of all that they need in turn."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.lower() not in found:
            found[name.lower()] = distribution(name)
            waiting += [one.name for one in plain_requirements(found[name.lower()])]
    return list(found.values())


def run(
    command: list[str], cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed, and return what it said."""
    done = attempt(command, cwd, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def attempt(
    command: list[str], cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
