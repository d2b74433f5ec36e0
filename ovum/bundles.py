"""Modules of ours that a machine imports together: stdlib.pack has each such set as one piece.

A bundle is what its entries import at the top, but for what earlier bundles have, in an order in
which every module comes after those that it imports. pyhost/library.py runs it.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ENTRIES: Final = (
    # Whatever of ours a program imports, it needs tasks.
    ("ovum.services.tasks",),
    ("ovum.services.main",),
    ("ovum.drivers.manager", "ovum.drivers.machine", "ovum.drivers.pci.config"),
    ("ovum.drivers.virtio.device", "ovum.drivers.virtio.rng", "ovum.drivers.virtio.mmio"),
    ("ovum.drivers.firmware",),
    ("ovum.drivers.pci.scan", "ovum.drivers.virtio.pci"),
    ("ovum.drivers.virtio.disk", "ovum.services.blockdev"),
    ("ovum.drivers.virtio.net",),
    ("ovum.drivers.virtio.ninep",),
    ("ovum.drivers.e1000.card",),
    ("ovum.net.stack",),
    (
        "ovum.net.network", "ovum.net.socket.stream", "ovum.net.socket.datagram",
        "ovum.net.service", "ovum.net.entropy",
    ),
    ("ovum.net.clients.configure",),
)  # fmt: skip
"""What somebody asks for, in the order in which it can be asked for."""


def name_of(path: str) -> str:
    """The module of a source file of the library: `ovum.drivers` of ovum/drivers/__init__.py."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def bundles(files: Mapping[str, Path]) -> list[list[str]]:
    """The bundles of these files, which are given by their paths in the library: paths, in order.

    An entry that is not among the files is left out.
    """
    paths = {name_of(path): path for path in files if path.startswith("ovum/")}
    graph = {name: imports(files[path].read_text("utf-8")) for name, path in paths.items()}
    seen: set[str] = set()
    found = []
    for entries in ENTRIES:
        order: list[str] = []
        for entry in entries:
            _visit(entry, graph, seen, order)
        # The packages that were not early: more modules may come with them.
        for name in order:
            _visit(name.rpartition(".")[0], graph, seen, order)
        if order:
            found.append([paths[name] for name in order])
    return found


def _visit(name: str, graph: Mapping[str, list[str]], seen: set[str], order: list[str]) -> None:
    if name not in graph or name in seen:
        return
    seen.add(name)
    package = name.rpartition(".")[0]
    # A package comes before its modules, unless it is they that it imports.
    early = not any(other.startswith(f"{package}.") for other in graph.get(package, ()))
    for other in [package, *graph[name]] if early else graph[name]:
        _visit(other, graph, seen, order)
    order.append(name)


def imports(source: str) -> list[str]:
    """What a module imports when it is run; of `from a import b` both a.b, if it is one, and a."""
    return list(_imports(ast.parse(source).body))


def _imports(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
            yield statement.module
        elif isinstance(statement, ast.If):
            if not _for_types(statement.test):
                yield from _imports(statement.body)
            yield from _imports(statement.orelse)
        elif isinstance(statement, ast.Try):
            yield from _imports(statement.body)


def _for_types(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
