"""Wires without a wire: interfaces of stacks joined in a network of a virtual clock.

    sim = Network(random.Random(seed))
    one = sim.attach(stack_a, interface_a)
    sim.attach(stack_b, interface_b)
    sim.run_until(lambda: server.done, limit=30 * SECOND)

Everything is decided by the seed: what a Wire loses, delays, repeats or spoils. Nothing waits.
"""

from __future__ import annotations

from heapq import heappop, heappush

from ovum.drivers.frames import Received
from ovum.net.phy.fault import Faults
from ovum.net.phy.segments import to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random
    from typing import Protocol

    from ovum.drivers.frames import Frame
    from ovum.net.iface.interface import Interface
    from ovum.net.stack import Stack

    class Transport(Protocol):
        """What has to have its turn besides the stack: a TcpHost."""

        def poll(self, now: int) -> None: ...

        def flush(self, now: int) -> None: ...

        def next_deadline(self) -> int | None: ...


DELAY_NS = 100_000
FRAMES_MOST = 100_000
"""On the way at once: more is a storm that a test should have stopped."""


class Port:
    """One interface of a stack, on the network."""

    def __init__(self, stack: Stack, interface: Interface, faults: Faults, delay_ns: int) -> None:
        self.stack = stack
        self.interface = interface
        self.faults = faults
        """What happens to frames that it sends."""
        self.delay_ns = delay_ns
        self.plugged = True
        """Its frames go out, and others' come in."""


class Network:
    """A hub: everybody hears everything, and the interface drops what is not its own."""

    def __init__(self, rng: Random, now: int = 1_000_000_000) -> None:
        self.rng = rng
        self.now = now
        self.ports: list[Port] = []
        self.transports: list[Transport] = []
        self.taps: list[Callable[[int, bytes], None]] = []
        """Who sees what is on the wire: (now, frame)."""
        self.frames = 0
        """How many have been sent."""
        self._flying: list[tuple[int, int, Port | None, Received]] = []
        self._order = 0

    def attach(
        self,
        stack: Stack,
        interface: Interface,
        faults: Faults | None = None,
        delay_ns: int = DELAY_NS,
    ) -> Port:
        """Joins an interface."""
        port = Port(stack, interface, faults or Faults(self.rng), delay_ns)
        self.ports.append(port)
        return port

    def inject(self, frame: bytes) -> None:
        """A frame from nobody, to everybody."""
        self._fly(self.now, None, frame)

    def _fly(self, at: int, sender: Port | None, frame: bytes) -> None:
        if len(self._flying) >= FRAMES_MOST:
            raise OverflowError("too many frames are on the way")
        self._order += 1
        self.frames += 1
        for tap in self.taps:
            tap(at, frame)
        heappush(self._flying, (at, self._order, sender, Received(frame)))

    def _collect(self) -> None:
        """What the stacks have sent, on its way."""
        for transport in self.transports:
            transport.flush(self.now)
        for port in self.ports:
            for frame in port.interface.take_outbox(self.now):
                if port.plugged:
                    self._send(port, frame)

    def _send(self, port: Port, frame: Frame) -> None:
        for whole in to_wire(frame):
            for later, data in port.faults.apply(self.now, whole):
                self._fly(self.now + port.delay_ns + later, port, data)

    def next_event(self) -> int | None:
        """When something happens; None: never again."""
        times = [at for port in self.ports if (at := port.stack.next_deadline()) is not None]
        times.extend(at for each in self.transports if (at := each.next_deadline()) is not None)
        if self._flying:
            times.append(self._flying[0][0])
        return min(times) if times else None

    def step(self) -> bool:
        """The next thing that happens. False: nothing will."""
        self._collect()
        at = self.next_event()
        if at is None:
            return False
        self.now = max(self.now, at)
        while self._flying and self._flying[0][0] <= self.now:
            _, _, sender, frame = heappop(self._flying)
            for port in self.ports:
                if port is not sender and port.plugged and port.interface.up:
                    port.stack.receive(self.now, port.interface, (frame,))
        for stack in {id(port.stack): port.stack for port in self.ports}.values():
            stack.poll(self.now)
        for transport in self.transports:
            transport.poll(self.now)
        self._collect()
        return True

    def run(self, duration_ns: int) -> None:
        """For so long."""
        end = self.now + duration_ns
        while True:
            self._collect()
            at = self.next_event()
            if at is None or at > end:
                break
            self.step()
        self.now = max(self.now, end)
        for port in self.ports:
            port.stack.now = self.now

    def run_until(self, done: Callable[[], bool], limit_ns: int) -> bool:
        """Until something is so. False: it was not in time, or never will be."""
        end = self.now + limit_ns
        while not done():
            if self.now > end or not self.step():
                return done()
        return True
