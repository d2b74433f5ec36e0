"""Runs a stack: between network cards, the program's sockets and the clock.

Whatever happens (frames, changes of sockets, a timer) is told to the stack, then `settle` has sent
what there is to be sent, once for all of it. `service.py` makes the Network of a machine; tests
make their own, over model cards and model sockets.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.net.iface import events
from ovum.net.iface.interface import Interface
from ovum.net.raw import RawHost
from ovum.net.socket.control import Sockets
from ovum.net.socket.door import SENT
from ovum.net.stack import Stack
from ovum.net.tcp.host import TcpHost
from ovum.net.udp import UdpHost
from ovum.services.log import INFO, WARNING, log, log_error
from ovum.services.tasks import Parking, move_on_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from random import Random
    from typing import Any

    from ovum.drivers.frames import Frame
    from ovum.drivers.network import NetworkCard
    from ovum.net.clients.machine import MachineConfiguration
    from ovum.net.settings import Settings
    from ovum.net.socket.door import Door
    from ovum.net.socket.endpoint import Endpoint
    from ovum.services.tasks import Scheduler

IPPROTO_TCP = 6

SETTLE_S = 15.0
"""How long a connect(2) without a route waits for the configuration at most."""

ROUNDS = 32
"""How often packets to ourselves are handed on at once, before others have their turn."""

CONGESTED = 512
"""Frames that wait for a card: from there on sockets keep what they have."""

_NEVER = 1 << 63


class Network:
    """The network of one machine. All of it runs in one scheduler's thread."""

    def __init__(
        self,
        scheduler: Scheduler,
        rng: Random,
        make_door: Callable[[int, int, int], Door],
        wall_ns: Callable[[], int],
        settings: Settings | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.now = scheduler.now
        self.wall_ns = wall_ns
        self.stack = Stack(rng, settings)
        self.tcp = TcpHost(self.stack, rng, self.stack.counters)
        self.stack.protocols[IPPROTO_TCP] = self.tcp.receive
        self.stack.errors[IPPROTO_TCP] = self.tcp.on_icmp_error
        self.udp = UdpHost(self.stack)
        self.raw = RawHost(self.stack)
        self.sockets = Sockets(self, make_door)
        self.ports: list[Port] = []
        """The cards in use."""
        self.take_changes: Callable[[], Sequence[tuple[Any, int]]] = list
        """`_kernel.sockets_changed`."""
        self.ticket = 0
        """For the scheduler, whose deadline this is."""
        self._armed = _NEVER
        self._waiting: dict[Endpoint, None] = {}
        """Sockets that have more to send than cards take."""
        self.configuration: MachineConfiguration | None = None
        """What net/clients keeps; None until the first card."""
        self._unsettled = 0
        self._settled = Parking("see the network's configuration settled")
        self.stack.listeners.append(self._told)

    # What happens

    def sockets_changed(self) -> None:
        """Programs have written, read, closed: the kernel's event."""
        now = self.stack.now = self.now()
        for owner, bits in self.take_changes():
            try:
                owner.changed(now, bits)
            except Exception as error:
                log_error(f"network: {owner!r} failed:", error)
        self.settle(now)

    def expire(self) -> None:
        """A deadline has come: for the scheduler."""
        self._armed = _NEVER
        now = self.now()
        try:
            self.stack.poll(now)
            self.tcp.poll(now)
        except Exception as error:
            log_error("network: a timer failed:", error)
        self.settle(now)

    def settle(self, now: int) -> None:
        """Has sent what is to be sent, and arms the timer. After anything that has happened."""
        stack, tcp = self.stack, self.tcp
        stack.now = now
        try:
            tcp.flush(now)
            due = stack.next_deadline()
            rounds = 0
            while due is not None and due <= now and rounds < ROUNDS:
                # Packets to ourselves.
                rounds += 1
                stack.poll(now)
                tcp.flush(now)
                due = stack.next_deadline()
            for port in self.ports:
                if port.interface.outbox:
                    port.transmit(now)
        except Exception as error:
            log_error("network: sending failed:", error)
            return
        other = tcp.next_deadline()
        if other is not None and (due is None or other < due):
            due = other
        # A timer that has been put off is left where it is: it comes, and is armed anew. So most
        # packets cost no change of a deadline.
        if due is not None and due < self._armed:
            self._armed = due = max(due, now + 1)  # what is overdue lets others run first
            self.scheduler.deadlines.discard(self)
            self.scheduler.deadlines.add(due, self)

    # For sockets

    def congested(self, endpoint: Endpoint) -> bool:
        """See control.Runner."""
        for port in self.ports:
            if port.is_behind and len(port.interface.outbox) >= CONGESTED:
                self._waiting[endpoint] = None
                return True
        return False

    def resume(self) -> None:
        """A card has room again."""
        waiting, self._waiting = self._waiting, {}
        now = self.stack.now = self.now()
        for endpoint in waiting:
            if not endpoint.is_closed:
                endpoint.changed(now, SENT)
        self.settle(now)

    def spawn(self, function: Callable[..., Coroutine[Any, Any, None]], *args: object) -> object:
        """See control.Runner."""
        return self.scheduler.spawn(function, *args, name=f"network: {function.__name__}")

    # Configuration

    @property
    def settling(self) -> bool:
        """Whether what has no route now may have one soon."""
        return self._unsettled > 0

    async def settled(self) -> None:
        """Waits until every interface is configured, or is given up; SETTLE_S at most."""
        with move_on_after(SETTLE_S):
            while self._unsettled:
                await self._settled.park()

    def begin_settling(self) -> Settling:
        """Something begins that may bring addresses and routes: a card coming up, DHCP."""
        return Settling(self)

    def count_settling(self, change: int) -> None:
        """For Settling."""
        self._unsettled += change
        if not self._unsettled:
            self._settled.wake_all()

    # Cards

    def add_card(self, card: NetworkCard) -> Port:
        """Makes an interface of a card. `port.run()` receives from it, for good."""
        interface = self.stack.add_interface(
            card.name, card.mac, card.mtu, card.offloads, card.link.up
        )
        port = Port(self, card, interface)
        self.ports.append(port)
        # Those that it is in from its beginning.
        port.groups_changed()
        self.settle(self.now())
        return port

    def _told(self, now: int, kind: int, subject: object) -> None:
        if kind == events.GROUPS:
            for port in self.ports:
                if port.interface is subject:
                    port.groups_changed()


class Settling:
    """Until `done`, the network's configuration is on its way."""

    __slots__ = ("_network",)

    def __init__(self, network: Network) -> None:
        self._network: Network | None = network
        network.count_settling(1)

    def done(self) -> None:
        """It has succeeded, or has been given up. Any number of times."""
        network, self._network = self._network, None
        if network is not None:
            network.count_settling(-1)


class Port:
    """A card, and its interface of the stack."""

    def __init__(self, network: Network, card: NetworkCard, interface: Interface) -> None:
        self.network = network
        self.card = card
        self.interface = interface
        self.is_behind = False
        """A task waits for room in the card; what is sent meanwhile stays in the outbox."""
        self._filtering = False
        self._filter_stale = False

    def __repr__(self) -> str:
        return f"<{self.card!r}, {len(self.interface.outbox)} frames wait>"

    async def run(self) -> None:
        """Receives until the card is gone; then so is the interface."""
        network, interface = self.network, self.interface
        receive, stack, settle, now = (
            self.card.receive, network.stack, network.settle, network.now,
        )  # fmt: skip
        try:
            while True:
                frames = await receive()
                at = now()
                try:
                    stack.receive(at, interface, frames)
                except Exception as error:  # no memory, or a mistake: the next frame may do better
                    log_error(f"network: {interface.name}: a frame was lost:", error)
                settle(at)
        except DeviceError as error:
            log(WARNING, f"network: {interface.name} is gone: {error}")
        finally:
            self.close()

    async def follow_link(self) -> None:
        """Tells the stack of cables, until the card is gone."""
        link = self.card.link
        try:
            while True:
                # It may have changed before this waits for it.
                if link.up != self.interface.up:
                    word = "up" if link.up else "down"
                    log(INFO, f"network: {self.interface.name}: link {word}")
                    now = self.network.now()
                    self.network.stack.link_changed(now, self.interface, link.up)
                    self.network.settle(now)
                await link.changed()
        except DeviceError:
            pass  # which `run` has heard of, too

    def close(self) -> None:
        """Takes the interface away. Any number of times."""
        network = self.network
        if self in network.ports:
            network.ports.remove(self)
            now = network.now()
            network.stack.remove_interface(now, self.interface)
            network.settle(now)

    def transmit(self, now: int) -> None:
        """Sends what waits, as far as there is room; a task sends the rest."""
        if self.is_behind:
            return
        frames = self.interface.take_outbox(now)
        try:
            done = self.card.transmit_nowait(frames)
        except DeviceError:
            return  # which `run` is told of, too
        if done < len(frames):
            self.is_behind = True
            self.network.spawn(self._transmit_rest, frames[done:])

    async def _transmit_rest(self, frames: list[Frame]) -> None:
        try:
            while frames:
                try:
                    await self.card.transmit(frames)
                except DeviceTimeout as error:
                    log(WARNING, f"network: {error}")
                frames = self.interface.take_outbox(self.network.now())
        except DeviceError:
            pass  # which `run` is told of, too
        finally:
            self.is_behind = False
        self.network.resume()

    def groups_changed(self) -> None:
        """The card's filter is to let other groups through."""
        self._filter_stale = True
        if not self._filtering:
            self._filtering = True
            self.network.spawn(self._set_filter)

    async def _set_filter(self) -> None:
        try:
            while self._filter_stale:
                self._filter_stale = False
                await self.card.set_filter(multicast=sorted(self.interface.mac_groups))
        except DeviceError as error:
            log(WARNING, f"network: {self.interface.name}: its filter: {error}")
        finally:
            self._filtering = False
