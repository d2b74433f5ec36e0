"""Who may import what (docs/network.md): each layer knows those below it only, none asks a clock or
waits, and all is cheap to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovum.paths import REPO

NET = REPO / "net"

ALLOWED = {
    "wire": ("ovum.net.wire",),
    "iface": (
        "ovum.net.wire",
        "ovum.net.iface",
        "ovum.net.ip",
        "ovum.net.counters",
        "ovum.net.settings",
        "ovum.drivers.frames",
    ),
    "tcp": (
        "ovum.net.wire",
        "ovum.net.tcp",
        "ovum.net.ip",
        "ovum.net.counters",
        "ovum.net.settings",
        "ovum.net.socket.door",
    ),
    "phy": (
        "ovum.net.wire",
        "ovum.net.phy",
        "ovum.net.iface",
        "ovum.net.ip",
        "ovum.drivers.frames",
    ),
}
"""At run time: imports for types alone are free."""

PURE = (
    "wire",
    "iface",
    "tcp",
    "phy",
    "ip.py",
    "stack.py",
    "udphost.py",
    "udpendpoint.py",
    "raw.py",
)
"""Of these nothing may know of the world outside."""

FORBIDDEN = {"time", "random", "socket", "select", "threading", "asyncio", "os", "subprocess"}
SLOW = {"typing", "dataclasses", "enum", "re", "inspect", "logging"}


def files(name: str) -> list[Path]:
    path = NET / name
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports when it is imported or runs."""
    for node in _running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if (
            isinstance(child, ast.If)
            and isinstance(child.test, ast.Name)
            and child.test.id == "TYPE_CHECKING"
        ):
            continue
        yield child
        yield from _running(child)


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_a_layer_imports_what_is_below_it(layer: str) -> None:
    wrong = [
        f"{path.relative_to(REPO)}: {name}"
        for path in files(layer)
        for name in imports(path)
        if name.startswith("ovum.")
        and not any(name == each or name.startswith(each + ".") for each in ALLOWED[layer])
    ]
    assert not wrong


@pytest.mark.parametrize("part", PURE)
def test_nothing_asks_a_clock_or_chance_or_waits(part: str) -> None:
    wrong = [
        f"{path.relative_to(REPO)}: {name}"
        for path in files(part)
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN
    ]
    assert not wrong


@pytest.mark.parametrize("part", PURE)
def test_no_module_that_takes_long_to_import(part: str) -> None:
    wrong = [
        f"{path.relative_to(REPO)}: {name}"
        for path in files(part)
        for name in imports(path)
        if name.split(".")[0] in SLOW
    ]
    assert not wrong


def test_the_stack_needs_little_of_the_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import ovum.net.stack, ovum.net.udp, ovum.net.raw; "
    )
    code += "print(*sorted(n for n in set(sys.modules) - before if not n.startswith('ovum')))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.split(".")[0] for name in run.stdout.split()}
    assert names <= {"struct", "_struct", "errno", "heapq", "_heapq", "collections", "__future__",
                     "itertools", "keyword", "operator", "reprlib", "_collections"}  # fmt: skip
