"""Brings a console device up with its ports: `manager.find("console")`, /dev/vport0p1, and by their
names /dev/virtio-ports/NAME."""

from __future__ import annotations

from ovum.drivers.virtio.console import VirtioConsole
from ovum.services.log import WARNING, log
from ovum.services.tasks import CancelScope, Group, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.consoleport import Port
    from ovum.drivers.virtio.transport import Transport

FOLDER = "virtio-ports"
MODE = 0o600

QUIET_S = 0.005
QUIET_TRIES = 20
"""Nothing says which is the last port that a device announces: when it has said nothing for so
long, or has gone on for so many times as long, it is taken to be up. Ports may come later, too."""


async def attach(transport: Transport, manager: DeviceManager) -> VirtioConsole:
    """See `manager`."""
    console = VirtioConsole(transport, manager.numbered("vport"))
    _Files(console, manager)
    try:
        async with Group() as group:
            await console.start()
            group.start(console.listen)
            for _ in range(QUIET_TRIES if console.multiport else 0):
                before = console.heard
                await sleep(QUIET_S)
                if console.heard == before:
                    break
            group.cancel()
    except BaseException as error:
        with CancelScope(shield=True):
            await console.stop()
        if isinstance(error, ExceptionGroup):
            raise error.exceptions[0] from None
        raise
    return console


class _Files:
    """Keeps what is published, and in /dev, in step with the ports."""

    def __init__(self, console: VirtioConsole, manager: DeviceManager) -> None:
        self._manager = manager
        self._links: dict[int, str] = {}
        console.added.append(self._added)
        console.named.append(self._named)
        console.removed.append(self._removed)
        console.gone.append(lambda: manager.give_name_back(console.name))

    def _added(self, port: Port) -> None:
        self._manager.publish("console", port)
        if self._manager.nodes is not None:
            from ovum.services.streamdev import StreamNode

            try:
                self._manager.nodes.add(port.name, StreamNode(port), MODE)
            except OSError as error:
                log(WARNING, f"{port.name}: no file in /dev: {error}")

    def _named(self, port: Port) -> None:
        nodes = self._manager.nodes
        if nodes is None or port.number in self._links:
            return
        try:
            nodes.add_link(FOLDER, port.label, port.name)
        except (OSError, ValueError) as error:
            log(WARNING, f"{port.name}: no link for the name {port.label!r}: {error}")
        else:
            self._links[port.number] = port.label

    def _removed(self, port: Port) -> None:
        self._manager.withdraw(port)
        nodes = self._manager.nodes
        if nodes is None:
            return
        try:
            label = self._links.pop(port.number, None)
            if label is not None:
                nodes.remove_link(FOLDER, label)
            nodes.remove(port.name)
        except OSError as error:
            log(WARNING, f"{port.name}: at its end: {error}")
