"""Starts the configuration of an interface, and ends it: what the network's service calls."""

from __future__ import annotations

from ovum.net.clients.interface import InterfaceConfiguration
from ovum.net.clients.machine import MachineConfiguration
from ovum.net.clients.settings import Settings, settings_for, settings_of
from ovum.net.clients.system import MachineSystem
from ovum.net.clients.texts import resolv_conf
from ovum.services.log import ERROR, log
from ovum.services.tasks import sleep_forever

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.iface.interface import Interface
    from ovum.net.network import Network


async def configure(network: Network, interface: Interface, settled: Callable[[], None]) -> None:
    """Keeps an interface configured until it is cancelled. `settled` is called once, when the
    interface is configured, or when nothing comes for now."""
    machine = network.configuration
    if machine is None:
        machine = network.configuration = MachineConfiguration(
            network.stack, network.udp, MachineSystem(), _settings(), lambda: network.settling
        )
    one = InterfaceConfiguration(
        machine, interface, settings_for(interface.name, machine.settings), settled
    )
    now = network.now()
    one.start(now)
    network.settle(now)
    try:
        await sleep_forever()
    finally:
        one.stop(network.now())


def _settings() -> list[Settings]:
    """What the kernel's command line says; nothing, if that is wrong: better than no network."""
    import _kernel

    try:
        return settings_of(_kernel.boot_info()["command_line"])
    except ValueError as error:
        log(ERROR, f"network: the command line is not understood: {error}")
        return []


async def resolv_conf_text(network: Network) -> str:
    """What /etc/resolv.conf should say, when the configuration is settled."""
    await network.settled()
    machine = network.configuration
    return resolv_conf([]) if machine is None else machine.resolv_conf()
