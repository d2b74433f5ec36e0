"""A file system whose methods wait where a test wants them to, and calls that go on meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ovum.services.tasks import Event
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.node import FileSystem, Node
from ovum.services.vfs.testing import HostedSystem

LIMIT_S = 10
"""How long a test waits for what must happen."""


class Gate:
    """Holds the next call of a method."""

    def __init__(self, after: bool) -> None:
        self.after = after
        self.reached = threading.Event()
        self.event = Event("a gate opened")

    def wait(self) -> None:
        """Until somebody is held."""
        assert self.reached.wait(LIMIT_S)

    def open(self, system: HostedSystem) -> None:
        """Lets him go on."""
        system.scheduler.call_soon(self.event.set)


class GatedFileSystem(FileSystem):
    """A file system in memory with gates."""

    name = "gated"

    def __init__(self, *, stable: bool = True, fresh: bool = False) -> None:
        self.inner = MemoryFileSystem()
        self.stable = stable
        self.fresh = fresh
        """Whether every look-up makes a new node, as simple file systems do."""
        self.told: list[str] = []
        self._gates: dict[str, Gate] = {}
        self._nodes: dict[Node, GatedNode] = {}

    def hold(self, method: str, *, after: bool = False) -> Gate:
        """Has the next call of a node's (or this) method wait, before or after it is done."""
        gate = self._gates[method] = Gate(after)
        return gate

    async def call(
        self, method: str, function: Callable[..., Any], *args: Any, **names: Any
    ) -> Any:
        gate = self._gates.pop(method, None)
        if gate is not None and not gate.after:
            gate.reached.set()
            await gate.event.wait()
        try:
            return await function(*args, **names)
        finally:
            if gate is not None and gate.after:
                gate.reached.set()
                await gate.event.wait()

    def node(self, inner: Node) -> GatedNode:
        made = self._nodes.get(inner)
        if made is None or self.fresh:
            made = self._nodes[inner] = GatedNode(self, inner)
        return made

    async def root(self) -> Node:
        async def top() -> Node:
            return self.node(self.inner.top)

        node: Node = await self.call("root", top)
        return node

    async def sync(self) -> None:
        async def sync() -> None:
            self.told.append("sync")

        await self.call("sync", sync)

    async def unmounted(self) -> None:
        self.told.append("unmounted")


class GatedNode(Node):
    def __init__(self, system: GatedFileSystem, inner: Node) -> None:
        self.system = system
        self.inner = inner
        self.kind = inner.kind


def _gated(method: str) -> Callable[..., Any]:
    async def call(self: GatedNode, *args: Any, **names: Any) -> Any:
        plain = [one.inner if isinstance(one, GatedNode) else one for one in args]
        try:
            result = await self.system.call(method, getattr(self.inner, method), *plain, **names)
        finally:
            if method == "close":
                self.system.told.append("close")
        return self.system.node(result) if isinstance(result, Node) else result

    return call


for _method in (
    *("attributes", "set_attributes", "lookup", "entries", "create", "make_directory", "make_link"),
    *("make_node", "link", "unlink", "remove_directory", "rename", "read_link", "open", "close"),
    *("read_into", "write", "truncate", "flush"),
):
    setattr(GatedNode, _method, _gated(_method))


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something is so that nothing tells of."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Calling(threading.Thread):
    """A call that another thread makes; `result()` waits for what comes of it."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        super().__init__(daemon=True)
        self._call = function, args
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        function, args = self._call
        try:
            self._value = function(*args)
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        """What the call has returned, or its errno."""
        self.join(LIMIT_S)
        assert not self.is_alive(), "the call does not end"
        if isinstance(self._error, OSError):
            return self._error.errno
        if self._error is not None:
            raise self._error
        return self._value
