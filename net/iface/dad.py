"""Duplicate address detection (RFC 4862, 5.4; RFC 7527)."""

from __future__ import annotations

from ovum.net.iface.nd import send_icmpv6
from ovum.net.wire import addr, ndp
from ovum.net.wire.ndp_options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.routing import Routing

    Done = Callable[[int, Address, bool], None]
    """(now, address, unique)."""

NONCE_SIZE = 6
"""With its option's header, 8 bytes (RFC 3971, 5.3.2)."""


class _Check:
    """One tentative address."""

    def __init__(self, detection: Detection, address: Address, done: Done) -> None:
        self._detection = detection
        self.address = address
        self.done = done
        self.nonce = b""
        self.sent = 0
        self.timer = detection.stack.timers.new(self.due)

    def due(self, now: int) -> None:
        """Asks once more, or is through."""
        detection = self._detection
        stack, link = detection.stack, detection.link
        if self.sent >= stack.settings.dad_transmits:
            detection.finish(now, self, True)
            return
        self.sent += 1
        target = self.address.address
        self.nonce = stack.rng.getrandbits(8 * NONCE_SIZE).to_bytes(NONCE_SIZE, "big")
        group = addr.solicited_node(target)
        message = ndp.emit(ndp.NeighborSolicitation(target, Options(nonce=self.nonce)))
        stack.counters.count("dad_sent")
        send_icmpv6(stack, link, addr.multicast_mac(group), addr.ANY6, group, message)
        self.timer.set(now + link.nd.retransmit_ns)


class Detection:
    """All tentative addresses of an interface."""

    def __init__(self, stack: Routing, link: Interface) -> None:
        self.stack = stack
        self.link = link
        self._checks: dict[bytes, _Check] = {}

    def start(self, now: int, address: Address, done: Done) -> None:
        """Checks one; a member of its solicited-node group already."""
        self.stop(address.address)
        check = self._checks[address.address] = _Check(self, address, done)
        delay = self.stack.settings.dad_delay_ns
        check.timer.set(now + (self.stack.rng.randrange(delay) if delay else 0))

    def stop(self, address: bytes) -> None:
        """Nobody wants to know any more: done is not called."""
        check = self._checks.pop(address, None)
        if check is not None:
            check.timer.cancel()

    def finish(self, now: int, check: _Check, unique: bool) -> None:
        """For _Check: says what has come of it."""
        self.stop(check.address.address)
        self.stack.counters.count("dad_unique" if unique else "dad_duplicate")
        check.done(now, check.address, unique)

    def solicited(self, now: int, target: bytes, src: bytes, nonce: bytes) -> bool:
        """Somebody asks for an address. Whether it is a tentative one: nothing is answered then."""
        check = self._checks.get(target)
        if check is None:
            return False
        if any(src):
            # Somebody wants to talk to it (5.4.3): that says nothing.
            self.stack.counters.count("nd_target_tentative")
        elif nonce and nonce == check.nonce:
            # Our own, sent back by the network.
            self.stack.counters.count("dad_looped_back")
        else:
            self.finish(now, check, False)
        return True

    def advertised(self, now: int, target: bytes) -> bool:
        """Somebody has an address. Whether it is a tentative one of ours: no longer, then."""
        check = self._checks.get(target)
        if check is None:
            return False
        self.finish(now, check, False)
        return True
