"""What the kernel tells of its state (`_kernel.inspect`), taken apart."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Inspect = Callable[[str], str]

TICK_NS = 10_000_000
"""The unit of times in /proc: sysconf(_SC_CLK_TCK) is 100."""


def statistics(inspect: Inspect) -> dict[str, int]:
    """Numbers by their names."""
    pairs = (line.split() for line in inspect("statistics").split("\n")[:-1])
    return {name: int(value) for name, value in pairs}


class Thread:
    """A thread of the process."""

    __slots__ = ("cpu_ns", "name", "number", "priority", "state")

    def __init__(self, line: str) -> None:
        number, self.state, priority, cpu, self.name = line.split(" ", 4)
        self.number, self.priority, self.cpu_ns = int(number), int(priority), int(cpu)


def threads(inspect: Inspect, caller: int = 0) -> list[Thread]:
    """All threads. The one that asks runs, as it sees it: the kernel has it wait for the answer."""
    found = [Thread(line) for line in inspect("threads").split("\n")[:-1]]
    for thread in found:
        if thread.number == caller:
            thread.state = "R"
    return found


class Region:
    """A range of the address space."""

    __slots__ = ("end", "inode", "offset", "path", "protection", "shared", "start")

    def __init__(self, line: str) -> None:
        start, end, protection, shared, offset, inode, self.path = line.split(" ", 6)
        self.start, self.end, self.protection = int(start), int(end), int(protection)
        self.shared, self.offset, self.inode = shared == "1", int(offset), int(inode)


def regions(inspect: Inspect) -> list[Region]:
    """The address space, in order."""
    return [Region(line) for line in inspect("regions").split("\n")[:-1]]


class Descriptor:
    """An open descriptor. `inode` is, of a file that tasks serve, its handle."""

    __slots__ = ("flags", "inode", "kind", "number", "path", "position")

    def __init__(self, line: str) -> None:
        number, flags, position, inode, self.kind, self.path = line.split(" ", 5)
        self.number, self.flags = int(number), int(flags)
        self.position, self.inode = int(position), int(inode)


def descriptors(inspect: Inspect) -> dict[int, Descriptor]:
    """All open descriptors."""
    found = (Descriptor(line) for line in inspect("descriptors").split("\n")[:-1])
    return {one.number: one for one in found}


class Socket:
    """A socket of the program's. `door`: the number that services know it by; 0: it is local."""

    __slots__ = ("door", "family", "path", "protocol", "received", "state", "type", "unsent")

    def __init__(self, words: list[str]) -> None:
        family, kind, protocol, state, door, received, unsent = map(int, words[:7])
        self.family, self.type, self.protocol, self.state = family, kind, protocol, state
        self.door, self.received, self.unsent = door, received, unsent
        # struct sockaddr_un; a zero at the beginning of an abstract name is shown as "@".
        name = bytes.fromhex(words[7])[2:]
        text = name if name[:1] == b"\0" else name.partition(b"\0")[0]
        self.path = text.replace(b"\0", b"@").decode("utf-8", "surrogateescape")


def sockets(inspect: Inspect) -> dict[int, Socket]:
    """All sockets that have descriptors, by their inodes."""
    found = {}
    for line in inspect("sockets").split("\n")[:-1]:
        inode, *words = line.split(" ")
        found[int(inode)] = Socket(words)
    return found
