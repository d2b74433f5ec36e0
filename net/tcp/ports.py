"""Which ports are taken, and by whom: Linux's rules of conflicts, and random ports (RFC 6056)."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from ovum.net.tcp.settings import SocketOptions

ANY4 = bytes(4)
ANY6 = bytes(16)


class Binding:
    """A local address and port that a socket has. A listener's children share its."""

    __slots__ = (
        "_ports", "_users", "automatic", "interface", "listening", "local", "options", "port",
    )  # fmt: skip

    def __init__(
        self, ports: Ports, local: bytes, port: int, options: SocketOptions, interface: int
    ) -> None:
        self._ports = ports
        self._users = 1
        self.local = local
        self.port = port
        self.options = options
        """Of the socket; looked at when another one wants the same."""
        self.interface = interface
        self.listening = False
        self.automatic = False
        """An active open without bind has taken it, and shares it with others."""

    def retain(self) -> None:
        """One more has it."""
        self._users += 1

    def release(self) -> None:
        """One less has it: the socket is bound no more, or its connection is over."""
        self._users -= 1
        if self._users == 0:
            self._ports.remove(self)

    def conflicts(self, other: Binding) -> bool:
        """Whether it cannot be beside another that is there (inet_csk_bind_conflict)."""
        if self.interface and other.interface and self.interface != other.interface:
            return False
        if not overlap(self.local, self.options.v6_only, other.local, other.options.v6_only):
            return False
        mine, theirs = self.options, other.options
        if mine.reuse_port and theirs.reuse_port:
            return False
        return not (mine.reuse_address and theirs.reuse_address and not other.listening)


def overlap(a: bytes, a_only: bool, b: bytes, b_only: bool) -> bool:
    """Whether a connection could be for both addresses."""
    if len(a) == len(b):
        return a == b or not any(a) or not any(b)
    # One is IPv4; the other is the IPv6 wildcard, or has nothing to do with it.
    if len(a) == 16:
        return a == ANY6 and not a_only
    return b == ANY6 and not b_only


class Ports:
    """All bindings, by port."""

    __slots__ = ("_bindings", "_range", "_rng")

    def __init__(self, rng: Random, local_ports: tuple[int, int]) -> None:
        self._bindings: dict[int, list[Binding]] = {}
        self._rng = rng
        self._range = local_ports

    def bind(self, local: bytes, port: int, options: SocketOptions, interface: int) -> Binding:
        """For bind(2). Raises OSError: EADDRINUSE."""
        if port:
            binding = Binding(self, local, port, options, interface)
            self._check(binding)
            self._add(binding)
            return binding
        for port in self._by_chance(1):
            if port not in self._bindings:
                binding = Binding(self, local, port, options, interface)
                self._add(binding)
                return binding
        raise OSError(EADDRINUSE, "no ephemeral port is free")

    def _check(self, binding: Binding) -> None:
        for other in self._bindings.get(binding.port, ()):
            if other is not binding and binding.conflicts(other):
                raise OSError(EADDRINUSE, "the port is taken")

    def listen(self, binding: Binding) -> None:
        """It becomes a listener's: SO_REUSEADDR does not let two of them be. Raises OSError."""
        self._check(binding)
        binding.listening = True

    def automatic(self, taken: AskTaken) -> Binding:
        """A random port for an active open; `taken(port)`: its pair of addresses and ports is in
        use. Ports are shared with other active opens only if no other is left."""
        for share in (False, True):
            for port in self._by_chance(0):
                others = self._bindings.get(port)
                if others is None:
                    if not taken(port):
                        return self._automatic(port)
                elif share and others[0].automatic and not taken(port):
                    others[0].retain()
                    return others[0]
        raise OSError(EADDRNOTAVAIL, "no ephemeral port is free")

    def _by_chance(self, parity: int) -> Iterator[int]:
        """All ephemeral ports, from any on, those of a parity first. As on Linux, bind takes odd
        ones and connect even ones, so that who connects to a port that was just given up does not
        meet itself (a simultaneous open of one end)."""
        first, last = self._range
        count = last - first + 1
        start = self._rng.randrange(count)
        for wanted in (parity, 1 - parity):
            for step in range(count):
                port = first + (start + step) % count
                if port & 1 == wanted:
                    yield port

    def _automatic(self, port: int) -> Binding:
        from ovum.net.tcp.settings import DEFAULT_OPTIONS

        binding = Binding(self, ANY6, port, DEFAULT_OPTIONS, 0)
        binding.automatic = True
        self._add(binding)
        return binding

    def _add(self, binding: Binding) -> None:
        self._bindings.setdefault(binding.port, []).append(binding)

    def remove(self, binding: Binding) -> None:
        """Its last user has released it."""
        others = self._bindings[binding.port]
        others.remove(binding)
        if not others:
            del self._bindings[binding.port]


if TYPE_CHECKING:
    from collections.abc import Callable

    AskTaken = Callable[[int], bool]
