"""The network of this machine: started when the program makes its first socket.

A program without sockets never imports any of this. With one, loopback is there at once; cards come
up meanwhile, and each is configured by itself (net/clients).
"""

from __future__ import annotations

from ovum.services.log import INFO, WARNING, log, log_error
from ovum.services.tasks import Event, checkpoint, move_on_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.drivers.network import NetworkCard
    from ovum.net.network import Network, Settling
    from ovum.services.main import Machine

END_S = 2.0
"""How long connections have at the end of the machine to deliver what the program has written."""

_PARTS = (
    "ovum.net.entropy", "ovum.drivers.frames", "ovum.drivers.errors", "ovum.net.counters",
    "ovum.net.settings", "ovum.net.ip", "ovum.net.wire.tcp", "ovum.net.stack", "ovum.net.udp",
    "ovum.net.raw", "ovum.net.tcp.host", "ovum.net.socket.control", "ovum.net.socket.stream",
    "ovum.net.socket.datagram", "ovum.net.network",
)  # fmt: skip
"""What is imported before the first socket is there, in pieces: others must not wait for all."""


class _Started:
    """The one network of this machine, once it is there."""

    network: Network | None = None
    coming: Event | None = None


def running() -> Network | None:
    """The machine's network, if it has been started: for /proc/net."""
    return _Started.network


async def start(machine: Machine) -> Network:
    """The machine's network, which is started if it was not."""
    while _Started.network is None:
        coming = _Started.coming
        if coming is not None:
            await coming.wait()
            continue
        coming = _Started.coming = Event()
        try:
            _Started.network = await _start(machine)
        finally:
            # If that has failed (no memory), the next one tries anew.
            _Started.coming = None
            coming.set()
    return _Started.network


async def _start(machine: Machine) -> Network:
    begun = machine.scheduler.now()
    for name in _PARTS:
        __import__(name)
        await checkpoint()
    import os
    import time

    import _kernel

    from ovum.net.entropy import Entropy
    from ovum.net.network import Network

    kernel: Any = _kernel
    rng: Any = Entropy()
    network = Network(machine.scheduler, rng, kernel.Socket, time.time_ns)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    network.tcp.settings.divide(free)
    network.tcp.memory.held = kernel.sockets_memory
    kernel.sockets_memory(network.tcp.settings.memory)
    network.take_changes = kernel.sockets_changed
    here: Any = machine
    here.events.sockets_changed = network.sockets_changed
    here.server.network = network.sockets.serve

    async def end() -> None:
        await _end(network)

    machine.services.at_end("network", end)
    # From here on: who waits for the configuration must not look before this task has begun.
    settling = network.begin_settling()
    machine.services.start("network cards", _bring_cards_up, machine, network, settling)
    log(INFO, f"network: up in {(machine.scheduler.now() - begun) / 1e6:.1f} ms")
    return network


async def _bring_cards_up(machine: Machine, network: Network, settling: Settling) -> None:
    """Starts the drivers of all devices; what is a network card becomes an interface."""
    try:
        from ovum.drivers.manager import manager

        devices = manager()

        def use(card: NetworkCard) -> None:
            _use(machine, network, card)

        devices.watch("network", use)
        await devices.start()
    finally:
        settling.done()


def _use(machine: Machine, network: Network, card: NetworkCard) -> None:
    """A card is up."""
    try:
        port = network.add_card(card)
    except OSError as error:
        log(WARNING, f"network: {card.name} cannot be used: {error}")
        return
    name = port.interface.name
    # Lasting: at the end, connections still have to say good-bye.
    machine.services.start(f"network {name}", port.run, lasting=True)
    machine.services.start(f"link of {name}", port.follow_link)
    settling = network.begin_settling()

    async def configure() -> None:
        # configure(network, interface, settled): keeps an interface configured, for good, and calls
        # settled() when it is, or when nothing comes for now.
        clients: Any = __import__("ovum.net.clients.configure", fromlist=["configure"])
        try:
            await clients.configure(network, port.interface, settling.done)
        finally:
            settling.done()

    machine.services.start(f"configuration of {name}", configure)


async def _end(network: Network) -> None:
    """What the program has written is delivered, if its peers take it in time."""
    now = network.now()
    for endpoint in list(network.sockets.endpoints.values()):
        try:
            endpoint.close(now)
        except Exception as error:
            log_error(f"network: the end of {endpoint!r}:", error)
    network.settle(now)
    with move_on_after(END_S) as scope:
        await network.sockets.delivered()
    if scope.cancelled_caught:
        log(WARNING, "network: not everything that was written has been taken by its peers")
