"""The house stands: arrows point down, nothing runs in a circle, doors touch no tables, and the rooms stay small."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the roof to the ground; a room may use those below it and, one way only, those beside it.
STOREYS = (
    {"apps", "testing"},
    {"rest", "websocket", "server", "web", "admin", "management", "templatetags"},
    {"commands", "outlets", "checks", "limits"},
    {"actions", "queries"},
    {"events"},
    {"serializers", "policy"},
    {"models", "routers"},
    {"conf", "errors", "extras", "irc", "metrics", "security_log"},
)
DOORS = STOREYS[1]
# Rows pass through the admin by Django's design; it writes through actions.
MAY_TOUCH_TABLES = {"admin"}
# Programs of their own: what each may import of the chat.
APART = {"client": {"client"}, "terminal": {"terminal", "client"}}
ANNOTATED = ("actions", "queries", "events", "policy")
LINES_OF_A_FILE = 320
LINES_OF_A_FUNCTION = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*folders: str) -> list[Path]:
    """All files with code in them, but those that Django writes."""
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in found if path.stat().st_size and "migrations" not in path.parts]


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    # Python 3.11.7 raises SystemError when finalizers run while it builds a tree (CPython issue 106905).
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The first name below ``chat``; of the package itself, nothing."""
    return module.split(".")[1] if "." in module else ""


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs, functions included; imports for annotations alone do not."""
    for child in ast.iter_child_nodes(node):
        yield child
        for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from running(ast.Module(child.orelse, [])) if for_types else running(child)


def imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of the chat that a file imports, wherever in it."""
    found: set[str] = set()
    for node in running(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are spelt out in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else str(node.module))
    return {name for name in found if name.split(".")[0] == "chat"}


def arrows() -> dict[str, set[str]]:
    paths = {module_of(path): path for path in sources("chat")}
    return {name: imports(path, set(paths)) - {name} for name, path in paths.items()}


def between_rooms() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for module, targets in arrows().items():
        rooms = {room_of(target) for target in targets}
        found.setdefault(room_of(module), set()).update(rooms - {room_of(module), ""})
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A way that leads back to where it began, or nothing."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        rounds = (walk(target, [*way, node]) for target in sorted(graph.get(node, ())))
        found = next(filter(None, rounds), [])
        done.add(node)
        return found

    return next(filter(None, (walk(node, []) for node in sorted(graph))), [])


def storey(room: str) -> int:
    return next(height for height, rooms in enumerate(STOREYS) if room in rooms)


def test_every_room_has_its_place() -> None:
    placed = set().union(*STOREYS, APART)
    assert set(between_rooms()) - {""} <= placed


def test_arrows_point_down() -> None:
    upward = [
        f"{room} → {target}"
        for room, targets in between_rooms().items()
        if room and room not in APART
        for target in targets
        if target in APART or storey(target) < storey(room)
    ]
    assert not upward


def test_nothing_runs_in_a_circle() -> None:
    assert not circle(between_rooms())
    assert not circle(arrows())


def test_a_circle_would_be_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_doors_touch_no_tables() -> None:
    touching = [
        module
        for module, targets in arrows().items()
        if room_of(module) in DOORS - MAY_TOUCH_TABLES
        and any(room_of(target) == "models" for target in targets)
    ]
    assert not touching


@pytest.mark.parametrize("program", APART)
def test_programs_stand_alone(program: str) -> None:
    """The client and the terminal can be taken out of the house as they are."""
    leaning = {
        f"{module} → {target}"
        for module, targets in arrows().items()
        if room_of(module) == program
        for target in targets
        if room_of(target) not in APART[program]
    }
    assert not leaning


def test_the_core_needs_no_extra() -> None:
    """Everything below the doors runs on Django and DRF; sockets and tokens are extras."""
    extras = {
        "channels",
        "rest_framework_simplejwt",
        "drf_spectacular",
        "uvicorn",
        "redis",
        "limits",
        "prometheus_client",
    }
    core = set().union(*STOREYS[3:]) | {"apps"}
    needing = []
    for path in sources("chat"):
        if room_of(module_of(path)) in core:
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    named = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
                    if {name.split(".")[0] for name in named} & extras:
                        needing.append(str(path))
    assert not needing


def test_one_file_knows_spectacular() -> None:
    """Views stay free of it, and so does whoever wants no documents."""
    knowing = [path.name for path in sources("chat") if "drf_spectacular" in _imported(path)]
    assert knowing == ["openapi.py"]


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(tree_of(path)))
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    named += [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
    return {name.split(".")[0] for name in named}


HOUSE = sources("chat", "project", "tests")


def test_files_are_small_and_say_what_they_are() -> None:
    long = [str(path) for path in HOUSE if len(path.read_text().splitlines()) > LINES_OF_A_FILE]
    silent = [str(path) for path in HOUSE if not ast.get_docstring(tree_of(path))]
    assert not long
    assert not silent


def functions(paths: Iterable[Path]) -> Iterator[tuple[Path, Function]]:
    for path in paths:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, Function):
                yield path, node


def test_functions_are_short() -> None:
    long = [
        f"{path.name}: {node.name}"
        for path, node in functions(HOUSE)
        if (node.end_lineno or 0) - node.lineno >= LINES_OF_A_FUNCTION
    ]
    assert not long


def test_the_domain_says_what_it_takes_and_gives() -> None:
    domain = [path for path in sources("chat") if room_of(module_of(path)) in ANNOTATED]
    bare = [f"{path.name}: {node.name}" for path, node in functions(domain) if not _annotated(node)]
    assert not bare


def _annotated(node: Function) -> bool:
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    typed = all(one is None or one.annotation or one.arg in {"self", "cls"} for one in named)
    return typed and node.returns is not None
