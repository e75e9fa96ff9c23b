"""Look for code that must not be in ``chat`` and ``project``: unsafe markup, raw SQL, code from data, open forms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.lint import end_with

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chat", "project")

NAMES = {
    "mark_safe": "markup must come from a template or from format_html",
    "SafeString": "markup must come from a template or from format_html",
    "csrf_exempt": "each form and each session request needs its CSRF token",
    "RawSQL": "SQL belongs into chat/models/fetch.py and bulk.py",
    "eval": "data must never run as code",
    "exec": "data must never run as code",
}
METHODS = {
    "raw": "SQL belongs into chat/models/fetch.py and bulk.py",
    "extra": "SQL belongs into chat/models/fetch.py and bulk.py",
}
MODULES = dict.fromkeys(("pickle", "marshal", "shelve", "dill"), "it runs code from data")
MARKUP = {
    r"\|\s*safe\b": "a value must be escaped",
    r"\{%\s*autoescape\s+off": "a value must be escaped",
    r"\{%\s*safeseq|\|\s*safeseq\b": "a value must be escaped",
    r"\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write": "text must be set as text",
}


def in_python(text: str) -> Iterator[tuple[int, str]]:
    """Find what must not be in a Python file: line and reason."""
    for node in ast.walk(ast.parse(text)):
        for found in _in_node(node):
            yield getattr(node, "lineno", 1), found


def _in_node(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield f"{node.id}: {NAMES[node.id]}"
    elif isinstance(node, ast.Attribute) and node.attr in {"mark_safe", "csrf_exempt"}:
        yield f"{node.attr}: {NAMES[node.attr]}"
    elif isinstance(node, ast.Call):
        yield from _in_call(node)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from _in_import(node)
    elif isinstance(node, ast.Assign) and _all_fields(node):
        yield 'fields = "__all__": a new column would be shown or set unnoticed'


def _in_call(call: ast.Call) -> Iterator[str]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS:
        yield f".{call.func.attr}(): {METHODS[call.func.attr]}"
    for one in call.keywords:
        if one.arg == "verify" and isinstance(one.value, ast.Constant) and one.value.value is False:
            yield "verify=False: a certificate must be verified"


def _in_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    for name in {module, *(one.name for one in node.names)}:
        root = name.split(".")[0]
        if root in MODULES:
            yield f"{root}: {MODULES[root]}"
        elif name in NAMES:
            yield f"{name}: {NAMES[name]}"


def _all_fields(node: ast.Assign) -> bool:
    names = {target.id for target in node.targets if isinstance(target, ast.Name)}
    return (
        "fields" in names and isinstance(node.value, ast.Constant) and node.value.value == "__all__"
    )


def in_markup(text: str) -> Iterator[tuple[int, str]]:
    """Find what must not be in a template or a script: line and reason."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, reason in MARKUP.items():
            if found := re.search(pattern, line):
                yield number, f"{found.group()}: {reason}"


def findings() -> Iterator[str]:
    """Look through all sources."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            look = in_python if path.suffix == ".py" else in_markup
            if path.suffix in {".py", ".html", ".js"}:
                for line, found in look(path.read_text()):
                    yield f"{path.relative_to(ROOT)}:{line}: {found}"


if __name__ == "__main__":
    end_with(findings())
